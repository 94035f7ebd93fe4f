#!/bin/sh
# A compiler that marks ensayo's and its engine's own branches for libFuzzer, and nothing else: the crates they depend on are compiled as ever.
case " $* " in
*" --crate-name ensayo "* | *" --crate-name engine "*)
    exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
    ;;
*)
    exec "$@"
    ;;
esac
