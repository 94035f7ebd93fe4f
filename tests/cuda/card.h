// What turns the CUDA C++ that cubecl writes into C++ for the processor: nvrtc.cpp includes it before a kernel's source and ends the source with CARD_KERNEL.
// The vector types and the 16-bit floats are those of CUDA's own headers, which have them for host compilers too.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <type_traits>
#include <utility>

#include "state.h"

extern "C" {
card_state card_state;
alignas(1024) unsigned char dynamic_shared_mem[CARD_SHARED_MOST + CARD_SHARED_BEHIND];
}

#undef __global__
#undef __device__
#undef __shared__
#undef __launch_bounds__
#undef __grid_constant__
#define __global__
#define __device__
#define __shared__
#define __launch_bounds__(...)
#define __grid_constant__

#define threadIdx card_state.thread
#define blockIdx card_state.block
#define blockDim card_state.block_size
#define gridDim card_state.grid
#define warpSize 32

#define CARD_INLINE __attribute__((always_inline)) static inline

// ---- Threads that wait for each other. The line says where in the source an operation stands, so that lanes of different branches are not mixed up. ----

CARD_INLINE void __syncthreads() { card_state.barrier(); }
CARD_INLINE void __threadfence() {}
CARD_INLINE void __threadfence_block() {}
CARD_INLINE void __syncwarp(unsigned = ~0u, int line = __builtin_LINE()) { card_state.exchange(0, card_state.lane, 0, line); }
CARD_INLINE unsigned __activemask(int line = __builtin_LINE()) { return card_state.exchange(0, card_state.lane, 0, line).active; }
CARD_INLINE unsigned __ballot_sync(unsigned, int predicate, int line = __builtin_LINE()) {
    return card_state.exchange(0, card_state.lane, predicate, line).votes;
}
CARD_INLINE int __any_sync(unsigned mask, int predicate, int line = __builtin_LINE()) { return __ballot_sync(mask, predicate, line) != 0; }
CARD_INLINE int __all_sync(unsigned mask, int predicate, int line = __builtin_LINE()) { return __ballot_sync(mask, !predicate, line) == 0; }

template <class T> CARD_INLINE T card_shuffle(T value, unsigned source, int line) {
    static_assert(sizeof(T) <= sizeof(uint64_t), "the hardware shuffles no more");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = card_state.exchange(bits, source, 0, line).value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
template <class T> CARD_INLINE T __shfl_sync(unsigned, T value, unsigned source, unsigned width = 32, int line = __builtin_LINE()) {
    return card_shuffle(value, (card_state.lane & -width) | (source & (width - 1)), line);
}
template <class T> CARD_INLINE T __shfl_up_sync(unsigned, T value, unsigned delta, unsigned width = 32, int line = __builtin_LINE()) {
    unsigned lane = card_state.lane, first = lane & -width;
    return card_shuffle(value, lane < first + delta ? lane : lane - delta, line);
}
template <class T> CARD_INLINE T __shfl_down_sync(unsigned, T value, unsigned delta, unsigned width = 32, int line = __builtin_LINE()) {
    unsigned lane = card_state.lane, end = (lane & -width) + width;
    return card_shuffle(value, lane + delta >= end ? lane : lane + delta, line);
}
template <class T> CARD_INLINE T __shfl_xor_sync(unsigned, T value, unsigned mask, unsigned width = 32, int line = __builtin_LINE()) {
    unsigned lane = card_state.lane, end = (lane & -width) + width;
    return card_shuffle(value, (lane ^ mask) >= end ? lane : lane ^ mask, line);
}

// ---- Atomics: one thread runs at a time ----

#define CARD_ATOMIC(name, result)                                  \
    template <class T, class U> CARD_INLINE T name(T *at, U given) { \
        T old = *at, value = T(given);                             \
        *at = result;                                              \
        return old;                                                \
    }
CARD_ATOMIC(atomicAdd, T(old + value))
CARD_ATOMIC(atomicSub, T(old - value))
CARD_ATOMIC(atomicMax, old < value ? value : old)
CARD_ATOMIC(atomicMin, value < old ? value : old)
CARD_ATOMIC(atomicAnd, T(old & value))
CARD_ATOMIC(atomicOr, T(old | value))
CARD_ATOMIC(atomicXor, T(old ^ value))
CARD_ATOMIC(atomicExch, value)
template <class T, class U, class V> CARD_INLINE T atomicCAS(T *at, U expected, V value) {
    T old = *at;
    if (old == T(expected)) *at = T(value);
    return old;
}

// ---- Integers ----

CARD_INLINE int __popc(unsigned x) { return __builtin_popcount(x); }
CARD_INLINE int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
CARD_INLINE int __ffs(int x) { return __builtin_ffs(x); }
CARD_INLINE int __ffsll(long long x) { return __builtin_ffsll(x); }
CARD_INLINE int __clz(int x) { return x ? __builtin_clz(x) : 32; }
CARD_INLINE int __clzll(long long x) { return x ? __builtin_clzll(x) : 64; }
CARD_INLINE unsigned long long __brevll(unsigned long long x) {
    unsigned long long reversed = 0;
    for (int i = 0; i < 64; i++) reversed |= (x >> i & 1) << (63 - i);
    return reversed;
}
CARD_INLINE unsigned __brev(unsigned x) { return __brevll(x) >> 32; }
CARD_INLINE int __mulhi(int a, int b) { return (long long)a * b >> 32; }
CARD_INLINE unsigned __umulhi(unsigned a, unsigned b) { return (unsigned long long)a * b >> 32; }
CARD_INLINE long long __mul64hi(long long a, long long b) { return (__int128)a * b >> 64; }
CARD_INLINE unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned __int128)a * b >> 64; }

// ---- Numbers ----

// Of a number and NaN, CUDA's min and max give the number.
template <class A, class B, class = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B>>> CARD_INLINE auto max(A a, B b) {
    decltype(a + b) x = a, y = b;
    return x < y || x != x ? y : x;
}
template <class A, class B, class = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B>>> CARD_INLINE auto min(A a, B b) {
    decltype(a + b) x = a, y = b;
    return y < x || x != x ? y : x;
}
CARD_INLINE float rsqrtf(float x) { return 1.0f / sqrtf(x); }
CARD_INLINE float rsqrt(float x) { return rsqrtf(x); }
CARD_INLINE double rsqrt(double x) { return 1.0 / sqrt(x); }
CARD_INLINE float rhypotf(float a, float b) { return 1.0f / hypotf(a, b); }
CARD_INLINE double rhypot(double a, double b) { return 1.0 / hypot(a, b); }

// The fast variants, more exact here than there; but __powf knows no negative base here either. By macros, for glibc has names of its own like these.
CARD_INLINE float card_powf(float x, float y) { return exp2f(y * log2f(x)); }
#define __expf expf
#define __logf logf
#define __sinf sinf
#define __cosf cosf
#define __tanhf tanhf
#define __powf card_powf
CARD_INLINE float __fdividef(float a, float b) { return a / b; }
CARD_INLINE float __frcp_rn(float x) { return 1.0f / x; }
CARD_INLINE float __fsqrt_rn(float x) { return sqrtf(x); }
CARD_INLINE float __frsqrt_rn(float x) { return rsqrtf(x); }

// The 16-bit functions that CUDA's headers have for the card alone. It computes most of them in 32 bits as well.
#define CARD_HALF(name, function)                                                                        \
    CARD_INLINE __half h##name(__half x) { return __half(function(float(x))); }                            \
    CARD_INLINE __nv_bfloat16 h##name(__nv_bfloat16 x) { return __nv_bfloat16(function(float(x))); }       \
    CARD_INLINE __half2 h2##name(__half2 v) { return __half2(h##name(v.x), h##name(v.y)); }                \
    CARD_INLINE __nv_bfloat162 h2##name(__nv_bfloat162 v) { return __nv_bfloat162(h##name(v.x), h##name(v.y)); }
CARD_HALF(exp, expf)
CARD_HALF(log, logf)
CARD_HALF(sin, sinf)
CARD_HALF(cos, cosf)
CARD_HALF(sqrt, sqrtf)
CARD_HALF(rsqrt, rsqrtf)
CARD_HALF(ceil, ceilf)
CARD_HALF(floor, floorf)
CARD_HALF(trunc, truncf)
CARD_HALF(rint, rintf)

// ---- The entry that the driver calls ----

template <auto kernel> struct card_entry;
template <class... A, void (*kernel)(A...)> struct card_entry<kernel> {
    template <size_t... I> static void call(void **parameters, std::index_sequence<I...>) { kernel(*static_cast<const A *>(parameters[I])...); }
    static void call(void **parameters) { call(parameters, std::index_sequence_for<A...>()); }
};

#define CARD_KERNEL(name, cooperates, most_threads)                                                              \
    extern "C" {                                                                                                 \
    int card_cooperates = cooperates, card_most_threads = most_threads;                                          \
    void card_thread(void **parameters) { card_entry<name>::call(parameters); }                                  \
    void card_block(void **parameters) {                                                                         \
        for (unsigned z = 0; z < blockDim.z; z++)                                                                \
            for (unsigned y = 0; y < blockDim.y; y++)                                                            \
                for (unsigned x = 0; x < blockDim.x; x++) {                                                      \
                    card_state.thread = {x, y, z};                                                               \
                    card_entry<name>::call(parameters);                                                          \
                }                                                                                                \
    }                                                                                                            \
    }
