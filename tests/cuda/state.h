// What a kernel's shared object (card.h) and the driver (blocks.c) know of each other. Plain C, read by both compilers.
#ifndef CARD_STATE_H
#define CARD_STATE_H
#include <stdint.h>

// The most dynamic shared memory that any architecture gives a block, with room behind it for the pattern that shows an overrun.
#define CARD_SHARED_MOST (227 << 10)
#define CARD_SHARED_BEHIND 256

struct card_dim {
    unsigned x, y, z;
};

// What a warp's common operation tells one of its lanes.
struct card_answer {
    uint64_t value;  // the value of the lane that was asked for
    uint32_t votes;  // the lanes whose predicate was true
    uint32_t active; // the lanes that took part
};

// Each kernel's shared object holds one of these, `card_state`; the driver fills it before it runs a thread.
struct card_state {
    struct card_dim thread, block, block_size, grid; // threadIdx, blockIdx, blockDim, gridDim
    unsigned lane;                                   // the thread's place in its warp
    void (*barrier)(void);
    struct card_answer (*exchange)(uint64_t value, unsigned source, int predicate, int line);
};
#endif
