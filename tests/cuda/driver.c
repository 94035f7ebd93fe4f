// libcuda.so: the part of NVIDIA's driver that burn's CUDA backend calls, for a card of software. Its memory is the processor's.
// CARD_MODE=check looks at kernels and counts them, CARD_MODE=run executes what nvrtc.cpp compiled for the processor. See README.md.
//
//     cc -shared -fPIC -O2 -I<CUDA>/include driver.c blocks.c -o libcuda.so
#define _GNU_SOURCE
#include "blocks.h"

#include <cuda.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MOST_CARDS = 16, SHARED_UNASKED = 48 << 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local int card; // whose context is current
static int broken;             // a launch failed; as with a real card, nothing works in this process any more

// ---- Settings ----

static const char *setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}
static long long number(const char *name, const char *otherwise) { return atoll(setting(name, otherwise)); }
static int running(void) { return strcmp(setting("CARD_MODE", "check"), "run") == 0; }
static size_t memory(void) { return (size_t)number("CARD_MEMORY", "17179869184"); }

static const struct architecture {
    int sm, processors, shared; // shared: what a block may ask for, in bytes
} architectures[] = {
    {61, 28, 48 << 10},   {75, 40, 64 << 10},   {80, 108, 163 << 10},  {86, 82, 99 << 10},
    {89, 128, 99 << 10},  {90, 132, 227 << 10}, {100, 148, 227 << 10}, {120, 170, 99 << 10},
};
static const struct architecture *architecture(void) {
    int sm = (int)number("CARD_SM", "80");
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
        if (architectures[i].sm == sm) return &architectures[i];
    fprintf(stderr, "software card: unknown CARD_SM=%d\n", sm);
    abort();
}

// Whether CARD_ANSWER=word=number applies: the process has the word among its arguments.
static int answer(float *number) {
    static int known = -1;
    static float value;
    if (known < 0) {
        const char *given = setting("CARD_ANSWER", ""), *equals = strchr(given, '=');
        char arguments[4096] = "";
        FILE *file = fopen("/proc/self/cmdline", "r");
        size_t length = file ? fread(arguments, 1, sizeof arguments, file) : 0;
        if (file) fclose(file);
        known = equals && memmem(arguments, length, given, equals - given) != NULL;
        if (known) value = strtof(equals + 1, NULL);
    }
    *number = value;
    return known && !running();
}

// ---- Memory: between two pages that nobody may touch, so that an access outside of it is noticed ----

static struct allocation {
    unsigned char *start;
    size_t size, mapped;
    int card;
    struct allocation *next;
} *allocations;
static size_t held[MOST_CARDS];

static size_t whole_pages(size_t size) { return (size + PAGE - 1) / PAGE * PAGE; }

static CUresult allocate(void **start, size_t size, int on_card) {
    CUresult result = CUDA_ERROR_OUT_OF_MEMORY;
    pthread_mutex_lock(&lock);
    if (broken) result = CUDA_ERROR_LAUNCH_FAILED;
    else if (!on_card || (size <= memory() && held[card] <= memory() - size)) {
        size_t mapped = whole_pages(size ? size : 1) + 2 * PAGE;
        unsigned char *at = mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        struct allocation *new = malloc(sizeof *new);
        if (at != MAP_FAILED && new && mprotect(at + PAGE, mapped - 2 * PAGE, PROT_READ | PROT_WRITE) == 0) {
            *new = (struct allocation){at + PAGE, size, mapped, on_card ? card : -1, allocations};
            allocations = new;
            if (on_card) held[card] += size;
            *start = new->start;
            result = CUDA_SUCCESS;
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static CUresult release(void *start) {
    CUresult result = CUDA_ERROR_INVALID_VALUE;
    pthread_mutex_lock(&lock);
    for (struct allocation **at = &allocations; *at; at = &(*at)->next) {
        struct allocation *old = *at;
        if (old->start != start) continue;
        if (old->card >= 0) held[old->card] -= old->size;
        munmap(old->start - PAGE, old->mapped);
        *at = old->next;
        free(old);
        result = CUDA_SUCCESS;
        break;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int ours(CUdeviceptr start, size_t size) {
    int found = size == 0;
    pthread_mutex_lock(&lock);
    for (struct allocation *at = allocations; at && !found; at = at->next) {
        size_t offset = (unsigned char *)start - at->start;
        found = (unsigned char *)start >= at->start && offset <= at->size && size <= at->size - offset;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

// ---- Modules and launches ----

struct function {
    char *name;
    int most_threads, shared_asked;
    int runs;
    struct kernel kernel;
};
static const struct function *executing;
static struct card_dim executing_grid, executing_block;
static struct sigaction before[2];

// A kernel touched what it must not. Says which one, and ends the process. Everything else is left to whoever handled the signal before.
static void stray(int signal, siginfo_t *information, void *context) {
    (void)context;
    if (!executing) {
        sigaction(signal, &before[signal == SIGBUS], NULL);
        return; // and it happens again
    }
    const struct card_state *state = executing->kernel.state;
    const char *what = below_a_stack(information->si_addr) ? "more local variables than its stack holds, at" : "an access outside of the card's memory,";
    dprintf(2, "software card: %s: %s %p, block %u,%u,%u of %u,%u,%u", executing->name, what, information->si_addr, state->block.x, state->block.y,
            state->block.z, executing_grid.x, executing_grid.y, executing_grid.z);
    dprintf(2, ", thread %u,%u,%u of %u,%u,%u\n", state->thread.x, state->thread.y, state->thread.z, executing_block.x, executing_block.y, executing_block.z);
    abort();
}

static void watch(void) {
    static int watching;
    if (watching++) return;
    struct sigaction action = {.sa_sigaction = stray, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, &before[0]);
    sigaction(SIGBUS, &action, &before[1]);
}

static FILE *launches(void) {
    static FILE *file;
    const char *folder = setting("CARD_LOG", "");
    if (!file && *folder) {
        char path[4096];
        snprintf(path, sizeof path, "%s/launches.%d.jsonl", folder, getpid());
        file = fopen(path, "a");
    }
    return file;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
}

CUresult cuModuleLoadData(CUmodule *module, const void *image) {
    char *copy = strdup(image);
    *module = (CUmodule)copy;
    return copy ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult cuModuleUnload(CUmodule module) {
    free(module);
    return CUDA_SUCCESS;
}

// The image is PTX, or, in the mode `run`, nvrtc.cpp's line "software card <shared object>".
CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
    const char *image = (const char *)module;
    struct function *found = calloc(1, sizeof *found);
    char path[4096];
    found->name = strdup(name);
    found->most_threads = 1024;
    found->shared_asked = SHARED_UNASKED;
    if (sscanf(image, "software card %4095[^\n]", path) == 1) {
        void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!object) {
            fprintf(stderr, "software card: %s\n", dlerror());
            return CUDA_ERROR_INVALID_IMAGE;
        }
        found->runs = 1;
        found->kernel.state = dlsym(object, "card_state");
        found->kernel.shared = dlsym(object, "dynamic_shared_mem");
        found->kernel.thread = (void (*)(void **))dlsym(object, "card_thread");
        found->kernel.block = (void (*)(void **))dlsym(object, "card_block");
        found->kernel.cooperates = *(int *)dlsym(object, "card_cooperates");
        found->most_threads = *(int *)dlsym(object, "card_most_threads");
    } else {
        char entry[1024];
        int x = 1, y = 1, z = 1;
        snprintf(entry, sizeof entry, ".entry %s(", name);
        const char *at = strstr(image, entry), *limit = at ? strstr(at, ".maxntid") : NULL;
        if (!at) return CUDA_ERROR_NOT_FOUND;
        if (limit && sscanf(limit, ".maxntid %d, %d, %d", &x, &y, &z) >= 1) found->most_threads = x * y * z;
    }
    *function = (CUfunction)found;
    return CUDA_SUCCESS;
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_SUCCESS;
    if (value < 0 || value > architecture()->shared) return CUDA_ERROR_INVALID_VALUE;
    if (value > SHARED_UNASKED) ((struct function *)function)->shared_asked = value;
    return CUDA_SUCCESS;
}

static int within_limits(const struct function *function, struct card_dim grid, struct card_dim block, unsigned shared) {
    unsigned long long threads = (unsigned long long)block.x * block.y * block.z;
    return grid.x && grid.y && grid.z && grid.x <= 2147483647u && grid.y <= 65535 && grid.z <= 65535 && block.x <= 1024 && block.y <= 1024 && block.z <= 64 &&
           threads && threads <= 1024 && threads <= (unsigned long long)function->most_threads && shared <= (unsigned)function->shared_asked;
}

CUresult cuLaunchKernel(CUfunction handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                        unsigned shared, CUstream stream, void **parameters, void **extra) {
    (void)stream, (void)extra;
    struct function *function = (struct function *)handle;
    struct card_dim grid = {grid_x, grid_y, grid_z}, block = {block_x, block_y, block_z};
    const char *failing = setting("CARD_FAIL_LAUNCH", "");
    int within = within_limits(function, grid, block, shared);
    // One launch at a time in the whole process, whatever the card and stream: the order of the calls is the order of the work.
    pthread_mutex_lock(&lock);
    if (*failing && strstr(function->name, failing)) broken = 1;
    CUresult result = broken ? CUDA_ERROR_LAUNCH_FAILED : within ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    double start = now();
    if (result == CUDA_SUCCESS && function->runs) {
        watch();
        executing_grid = grid;
        executing_block = block;
        executing = function;
        if (!run_grid(&function->kernel, grid, block, shared, parameters)) {
            fprintf(stderr, "software card: %s: wrote behind its %u bytes of shared memory\n", function->name, shared);
            abort();
        }
        executing = NULL;
    }
    FILE *log = launches();
    if (log) {
        fprintf(log, "{\"kernel\":\"%s\",\"card\":%d,\"grid\":[%u,%u,%u],\"block\":[%u,%u,%u],\"shared\":%u,", function->name, card, grid_x, grid_y, grid_z,
                block_x, block_y, block_z, shared);
        fprintf(log, "\"within\":%s,\"result\":%d,\"seconds\":%.6f}\n", within ? "true" : "false", result, now() - start);
        fflush(log);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

// ---- The device, its contexts, streams and events ----

static CUresult alive(void) { return broken ? CUDA_ERROR_LAUNCH_FAILED : CUDA_SUCCESS; }

CUresult cuInit(unsigned flags) {
    (void)flags;
    return CUDA_SUCCESS;
}
CUresult cuDriverGetVersion(int *version) {
    *version = 12080;
    return CUDA_SUCCESS;
}
CUresult cuDeviceGetCount(int *count) {
    *count = (int)number("CARD_COUNT", "1");
    if (*count > MOST_CARDS) *count = MOST_CARDS;
    return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice *device, int index) {
    int count;
    cuDeviceGetCount(&count);
    *device = index;
    return index >= 0 && index < count ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}
CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
    (void)device;
    snprintf(name, length, "software card sm_%d", architecture()->sm);
    return CUDA_SUCCESS;
}
CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
    (void)device;
    *bytes = memory();
    return CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device) {
    (void)device;
    const struct architecture *is = architecture();
    switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = is->sm / 10; break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = is->sm % 10; break;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = is->processors; break;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: *value = SHARED_UNASKED; break;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: *value = is->shared; break;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE: *value = 32; break;
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y: *value = 1024; break;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z: *value = 64; break;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X: *value = 2147483647; break;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z: *value = 65535; break;
    default: fprintf(stderr, "software card: asked for the unknown attribute %d\n", attribute); return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
}

// A context is the address of its card's place in this array.
static char contexts[MOST_CARDS];
CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
    *context = (CUcontext)&contexts[device];
    return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    (void)device;
    return CUDA_SUCCESS;
}
CUresult cuCtxSetCurrent(CUcontext context) {
    card = context ? (int)((char *)context - contexts) : 0;
    return CUDA_SUCCESS;
}
CUresult cuCtxGetCurrent(CUcontext *context) {
    *context = (CUcontext)&contexts[card];
    return CUDA_SUCCESS;
}
CUresult cuCtxSynchronize(void) { return alive(); }

// The work is done when the call returns, so streams and events have nothing to keep; they are told apart by their addresses.
CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
    (void)flags;
    *stream = malloc(1);
    return alive();
}
CUresult cuStreamDestroy_v2(CUstream stream) {
    free(stream);
    return CUDA_SUCCESS;
}
CUresult cuStreamSynchronize(CUstream stream) {
    (void)stream;
    return alive();
}
CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags) {
    (void)stream, (void)event, (void)flags;
    return alive();
}
CUresult cuEventCreate(CUevent *event, unsigned flags) {
    (void)flags;
    *event = malloc(1);
    return alive();
}
CUresult cuEventDestroy_v2(CUevent event) {
    free(event);
    return CUDA_SUCCESS;
}
CUresult cuEventRecord(CUevent event, CUstream stream) {
    (void)event, (void)stream;
    return alive();
}
CUresult cuEventSynchronize(CUevent event) {
    (void)event;
    return alive();
}

CUresult cuMemAlloc_v2(CUdeviceptr *start, size_t size) { return allocate((void **)start, size, 1); }
CUresult cuMemAllocAsync(CUdeviceptr *start, size_t size, CUstream stream) {
    (void)stream;
    return cuMemAlloc_v2(start, size);
}
CUresult cuMemFree_v2(CUdeviceptr start) { return release((void *)start); }
CUresult cuMemFreeAsync(CUdeviceptr start, CUstream stream) {
    (void)stream;
    return cuMemFree_v2(start);
}
CUresult cuMemAllocHost_v2(void **start, size_t size) { return allocate(start, size, 0); }
CUresult cuMemFreeHost(void *start) { return release(start); }
CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    *total = memory();
    *free_bytes = *total - held[card];
    return alive();
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t size, CUstream stream) {
    (void)stream;
    if (broken || !ours(to, size)) return broken ? alive() : CUDA_ERROR_INVALID_VALUE;
    memcpy((void *)to, from, size);
    return CUDA_SUCCESS;
}
// Where nothing is computed, what is read is zero: the remains of something else would be taken for results, and end a training as not a number.
static void read_back(void *to, const void *from, size_t size) {
    if (running()) memcpy(to, from, size);
    else memset(to, 0, size);
}
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t size, CUstream stream) {
    (void)stream;
    float given;
    if (broken || !ours(from, size)) return broken ? alive() : CUDA_ERROR_INVALID_VALUE;
    if (size == sizeof given && answer(&given)) memcpy(to, &given, size);
    else read_back(to, (const void *)from, size);
    return CUDA_SUCCESS;
}
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *copy, CUstream stream) {
    (void)stream;
    int from_host = copy->srcMemoryType == CU_MEMORYTYPE_HOST, to_host = copy->dstMemoryType == CU_MEMORYTYPE_HOST;
    const char *from = from_host ? copy->srcHost : (const char *)copy->srcDevice;
    char *to = to_host ? copy->dstHost : (char *)copy->dstDevice;
    size_t rows = copy->Height, width = copy->WidthInBytes;
    if (broken || rows == 0) return alive();
    if (!from_host && !ours((CUdeviceptr)from, (rows - 1) * copy->srcPitch + width)) return CUDA_ERROR_INVALID_VALUE;
    if (!to_host && !ours((CUdeviceptr)to, (rows - 1) * copy->dstPitch + width)) return CUDA_ERROR_INVALID_VALUE;
    for (size_t row = 0; row < rows; row++) {
        char *into = to + row * copy->dstPitch;
        const char *out = from + row * copy->srcPitch;
        if (to_host && !from_host) read_back(into, out, width);
        else memcpy(into, out, width);
    }
    return CUDA_SUCCESS;
}

// What the newer architectures' bulk copies are described by. Kernels that use it are not run here, so that it stays empty.
CUresult cuTensorMapEncodeTiled(CUtensorMap *map, CUtensorMapDataType type, cuuint32_t rank, void *start, const cuuint64_t *dims, const cuuint64_t *strides,
                                const cuuint32_t *box, const cuuint32_t *steps, CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
                                CUtensorMapL2promotion promotion, CUtensorMapFloatOOBfill fill) {
    (void)type, (void)rank, (void)dims, (void)strides, (void)box, (void)steps, (void)interleave, (void)swizzle, (void)promotion, (void)fill;
    memset(map, 0, sizeof *map);
    return ours((CUdeviceptr)start, 1) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
CUresult cuTensorMapEncodeIm2col(CUtensorMap *map, CUtensorMapDataType type, cuuint32_t rank, void *start, const cuuint64_t *dims, const cuuint64_t *strides,
                                 const int *lower, const int *upper, cuuint32_t channels, cuuint32_t pixels, const cuuint32_t *steps,
                                 CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion, CUtensorMapFloatOOBfill fill) {
    (void)type, (void)rank, (void)dims, (void)strides, (void)lower, (void)upper, (void)channels, (void)pixels, (void)steps;
    (void)interleave, (void)swizzle, (void)promotion, (void)fill;
    memset(map, 0, sizeof *map);
    return ours((CUdeviceptr)start, 1) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static const struct {
    CUresult result;
    const char *name, *text;
} errors[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {CUDA_ERROR_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {CUDA_ERROR_INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {CUDA_ERROR_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
};
static CUresult describe(CUresult result, const char **text, int long_form) {
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].result == result) {
            *text = long_form ? errors[i].text : errors[i].name;
            return CUDA_SUCCESS;
        }
    *text = NULL;
    return CUDA_ERROR_INVALID_VALUE;
}
CUresult cuGetErrorName(CUresult result, const char **text) { return describe(result, text, 0); }
CUresult cuGetErrorString(CUresult result, const char **text) { return describe(result, text, 1); }
