// Tries the card of software in its mode `run` with kernels whose results are known.
//
//     c++ -std=c++17 -I<CUDA>/include selftest.cpp -L<libraries> -lcuda -lnvrtc -o selftest
//     CUDA_PATH=<CUDA> CARD_SM=61 CARD_MODE=run LD_LIBRARY_PATH=<libraries> ./selftest
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cuda.h>
#include <functional>
#include <nvrtc.h>
#include <string>
#include <vector>

static int failures;
static void expect(bool right, const std::string &what) {
    printf("%s %s\n", right ? "ok  " : "FAIL", what.c_str());
    failures += !right;
}

static const std::string PRELUDE = "#include <cuda_runtime.h>\n#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n"
                                   "typedef unsigned char uint8;\nextern \"C\" __global__ void __launch_bounds__(256)kernel (\n";

// Runs `kernel(const float *in, float *out)` with one block of so many threads on the numbers 0, 1, 2, ...
static std::vector<float> run(const std::string &body, int threads, int shared = 0, CUresult expected = CUDA_SUCCESS) {
    std::string source = PRELUDE + "const float* __restrict__ in, float* out) {\nextern __shared__ __align__(16) uint8 dynamic_shared_mem[];\n"
                                   "float* tile = reinterpret_cast<float*>(&dynamic_shared_mem[0]);\n(void)tile; int i = threadIdx.x;\n" + body + "\n}";
    std::string include = std::string("--include-path=") + getenv("CUDA_PATH") + "/include";
    const char *options[] = {"--gpu-architecture=sm_61", include.c_str()};
    nvrtcProgram program;
    nvrtcCreateProgram(&program, source.c_str(), nullptr, 0, nullptr, nullptr);
    size_t size;
    if (nvrtcCompileProgram(program, 2, options) != NVRTC_SUCCESS) {
        nvrtcGetProgramLogSize(program, &size);
        std::string log(size, ' ');
        nvrtcGetProgramLog(program, log.data());
        printf("%s\n", log.c_str());
        exit(1);
    }
    nvrtcGetPTXSize(program, &size);
    std::string image(size, ' ');
    nvrtcGetPTX(program, image.data());
    CUmodule module;
    CUfunction function;
    if (cuModuleLoadData(&module, image.c_str()) != CUDA_SUCCESS || cuModuleGetFunction(&function, module, "kernel") != CUDA_SUCCESS) exit(1);
    std::vector<float> in(1024), out(1024, -1.0f);
    for (int i = 0; i < 1024; i++) in[i] = (float)i;
    CUdeviceptr from, to;
    cuMemAlloc(&from, 4096);
    cuMemAlloc(&to, 4096);
    cuMemcpyHtoDAsync(from, in.data(), 4096, nullptr);
    cuMemcpyHtoDAsync(to, out.data(), 4096, nullptr);
    void *parameters[] = {&from, &to};
    CUresult result = cuLaunchKernel(function, 1, 1, 1, threads, 1, 1, shared, nullptr, parameters, nullptr);
    if (result != expected) printf("FAIL result %d\n", result), failures++;
    cuMemcpyDtoHAsync(out.data(), to, 4096, nullptr);
    cuMemFree(from);
    cuMemFree(to);
    return out;
}

static bool all(const std::vector<float> &values, int count, const std::function<float(int)> &right) {
    for (int i = 0; i < count; i++)
        if (values[i] != right(i)) return printf("     at %d: %g, not %g\n", i, values[i], right(i)), false;
    return true;
}

int main() {
    cuInit(0);
    expect(all(run("out[i] = in[i] + 1.0f;", 256), 256, [](int i) { return i + 1.0f; }), "threads in a loop");
    expect(all(run("tile[i] = in[i]; __syncthreads(); out[i] = tile[255 - i];", 256, 1024), 256, [](int i) { return 255.0f - i; }), "a barrier");
    expect(all(run("if (i >= 100) return; tile[i] = in[i]; __syncthreads(); out[i] = tile[99 - i];", 256, 1024), 100, [](int i) { return 99.0f - i; }),
           "a barrier after some threads have returned");
    expect(all(run("for (int k = 0; k < 5; k++) { tile[i] = in[i] + k; __syncthreads(); out[i] = tile[(i + 1) % 256]; __syncthreads(); }", 256, 1024), 256,
               [](int i) { return (float)((i + 1) % 256 + 4); }),
           "barriers in a loop");
    expect(all(run("float acc = in[i]; for (int o = 1; o < 32; o *= 2) { acc += __shfl_xor_sync(-1, acc, o); } out[i] = acc;", 64), 64,
               [](int i) { return i < 32 ? 496.0f : 1520.0f; }),
           "a sum over the warp");
    expect(all(run("float acc = in[i];\nfor (int o = 1; o < 32; o *= 2) {\nfloat t = __shfl_up_sync(-1, acc, o);\nif (i % 32 >= o) { acc += t; } }\nout[i] = acc;", 32), 32,
               [](int i) { return i * (i + 1) / 2.0f; }),
           "a running sum over the warp");
    expect(all(run("float x = 0;\nif (i < 16) {\nx = __shfl_sync(-1, in[i], 3);\n} else {\nx = __shfl_sync(-1, in[i], 20);\n}\n"
                   "out[i] = x + __shfl_down_sync(-1, in[i], 1);", 32), 32,
               [](int i) { return (i < 16 ? 3.0f : 20.0f) + (i == 31 ? 31.0f : i + 1.0f); }),
           "shuffles in both branches, then together");
    expect(all(run("float x = in[i]; for (int k = 0; k < i; k++) {\nx += __shfl_sync(__activemask(), 1.0f, i); }\nout[i] = x + __popc(__ballot_sync(-1, i % 2));", 32), 32,
               [](int i) { return 2.0f * i + 16.0f; }),
           "lanes that leave a loop one by one, and a ballot of all");
    expect(all(run("if (i == 5) return; out[i] = (__all_sync(-1, i != 5) ? 1 : 0) + (__any_sync(-1, i == 5) ? 2 : 0) + (__all_sync(-1, i > 0) ? 4 : 0);", 32), 5,
               [](int) { return 1.0f; }),
           "votes without a lane that returned");
    expect(std::isnan(run("out[i] = __shfl_xor_sync(-1, in[i], 16);", 16)[0]), "the value of a lane that does not exist is not a number");
    expect(std::isnan(run("__syncthreads(); out[i] = tile[i];", 16, 64)[0]), "shared memory begins as no number");
    expect(all(run("atomicAdd(&out[300], in[i]); atomicMax(reinterpret_cast<int*>(&out[301]), 7); out[i] = 0.0f;", 256), 256, [](int) { return 0.0f; }), "atomics");
    expect(run("atomicAdd(&out[300], in[i]);", 256)[300] == 255 * 128 - 1, "an atomic sum");
    expect(all(run("__half h = __half(in[i]) * __half(0.5f) + __half(1.0f); __nv_bfloat16 b = __nv_bfloat16(in[i]); __half2 p{h, hsqrt(h)};\n"
                   "out[i] = float(h) + float(b) + float(__hmax(p.x, __half(0.0f))) * 0.0f + float(hfloor(__half(0.5f)));", 64), 64,
               [](int i) { return i * 0.5f + 1.0f + i; }),
           "16-bit floats");
    // (1 + 2^-12)^2 - 1 keeps its last bit in a fused product and sum alone.
    expect(run("float x = 1.0f + in[1] / 4096.0f; out[i] = x * x - 1.0f;", 1)[0] == 2.0f / 4096 + 1.0f / 4096 / 4096, "products and sums are fused");
    run("out[i] = 0;", 512, 0, CUDA_ERROR_INVALID_VALUE);
    run("out[i] = 0;", 32, 49153, CUDA_ERROR_INVALID_VALUE);
    printf("%d failures\n", failures);
    return failures != 0;
}
