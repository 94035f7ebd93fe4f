#!/bin/sh
# Builds the card of software into a folder: build.sh OUT. CUDA's headers are looked for in $CUDA_PATH/include.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
${CC:-cc} -shared -fPIC -O2 -I"$CUDA_PATH/include" "$here/driver.c" "$here/blocks.c" -o "$1/libcuda.so"
${CXX:-g++} -std=c++17 -shared -fPIC -O2 "$here/nvrtc.cpp" -o "$1/libnvrtc.so"
${CC:-cc} -shared -fPIC -O1 "$here/preload.c" -o "$1/libpreload.so"
