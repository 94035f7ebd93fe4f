// Preloaded, makes the driver's device file look present to a program that asks by statx, as Rust's Path::exists does.
//
//     cc -shared -fPIC -O1 preload.c -o libpreload.so
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

// Declared here, since the system's own declaration rules out the null path with which Rust's library tries whether there is a statx.
typedef int statx_function(int folder, const char *path, int flags, unsigned mask, void *found);

int statx(int folder, const char *path, int flags, unsigned mask, void *found) {
    static statx_function *next;
    if (!next) next = (statx_function *)dlsym(RTLD_NEXT, "statx");
    int ours = path && strcmp(path, "/dev/nvidiactl") == 0;
    return next(folder, ours ? "/dev/null" : path, flags, mask, found);
}
