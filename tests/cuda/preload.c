// Preloaded, makes the driver's device file look present to a program that asks by statx, as Rust's Path::exists does.
//
//     cc -shared -fPIC -O1 preload.c -o libpreload.so
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>

typedef int statx_function(int, const char *, int, unsigned, struct statx *);

int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict found) {
    static statx_function *next;
    if (!next) next = (statx_function *)dlsym(RTLD_NEXT, "statx");
    int ours = strcmp(path, "/dev/nvidiactl") == 0;
    return next(folder, ours ? "/dev/null" : path, flags, mask, found);
}
