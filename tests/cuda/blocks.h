// Runs the blocks of a kernel on the processor.
#ifndef CARD_BLOCKS_H
#define CARD_BLOCKS_H
#include "state.h"

// A kernel that was compiled for the processor: what its shared object exports (see the end of card.h).
struct kernel {
    struct card_state *state;
    unsigned char *shared;                        // dynamic_shared_mem
    void (*thread)(void **parameters);            // runs the thread that `state` names
    void (*block)(void **parameters);             // runs all threads of a block, one after another
    int cooperates;                               // whether the source has a barrier or an operation of a warp
};

// Returns whether the kernel left alone what lies behind its shared memory.
int run_grid(const struct kernel *kernel, struct card_dim grid, struct card_dim block, unsigned shared, void **parameters);

// Whether the address lies below the stack of the thread that runs: its local variables overflowed.
int below_a_stack(const void *address);
#endif
