// Blocks run one after another. Where a kernel's threads wait for each other, each has a stack of its own and gives way at barriers and at the operations of
// a warp; where they do not, a loop over the threads is enough and much faster.
#define _GNU_SOURCE
#include "blocks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifndef __x86_64__
#include <ucontext.h>
#endif

enum { MOST_THREADS = 1024, LANES = 32, PAGE = 4096, STACK = 256 << 10 };
// What a lane reads from one that is not there, where the hardware leaves the value undefined: it must not pass unnoticed. NaN in the float types.
static const uint64_t NOBODY = ~(uint64_t)0;

enum progress { READY, AT_BARRIER, AT_WARP, DONE };

struct fiber {
#ifdef __x86_64__
    void *stack_pointer;
#else
    ucontext_t context;
#endif
    enum progress progress;
    struct card_dim thread;
    // The operation of the warp at which it waits, and its answer.
    uint64_t value;
    unsigned source;
    int predicate, line;
    uintptr_t site;
    struct card_answer answer;
};

static struct fiber fibers[MOST_THREADS], scheduler, *current;
static unsigned char *stacks;
static const struct kernel *running;
static void **arguments;

#ifdef __x86_64__
// The registers that a called function must keep are all that a thread needs to keep here: it gives way by calling.
void card_switch(void **save, void *load);
__asm__(".text\n.hidden card_switch\n.globl card_switch\ncard_switch:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, (%rdi)\nmov %rsi, %rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");
static void change(struct fiber *from, struct fiber *to) { card_switch(&from->stack_pointer, to->stack_pointer); }
#else
static void change(struct fiber *from, struct fiber *to) { swapcontext(&from->context, &to->context); }
#endif

static void body(void) {
    running->thread(arguments);
    current->progress = DONE;
    change(current, &scheduler);
    abort();
}

static void prepare(struct fiber *fiber, unsigned index, struct card_dim block) {
    fiber->progress = READY;
    fiber->thread = (struct card_dim){index % block.x, index / block.x % block.y, index / (block.x * block.y)};
    unsigned char *base = stacks + (size_t)index * STACK;
#ifdef __x86_64__
    // Stacks that begin at the same place of a page would share a few lines of the cache.
    void **top = (void **)(base + STACK - index % 16 * 192);
    *--top = NULL; // the return address of a function that does not return
    *--top = (void *)body;
    for (int i = 0; i < 6; i++) *--top = NULL;
    fiber->stack_pointer = top;
#else
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = base + PAGE;
    fiber->context.uc_stack.ss_size = STACK - PAGE;
    makecontext(&fiber->context, body, 0);
#endif
}

static void wait_at(enum progress what) {
    struct fiber *self = current;
    self->progress = what;
    change(self, &scheduler);
}

static void barrier(void) { wait_at(AT_BARRIER); }

static struct card_answer exchange(uint64_t value, unsigned source, int predicate, int line) {
    struct fiber *self = current;
    self->value = value;
    self->source = source;
    self->predicate = predicate;
    self->line = line;
    self->site = (uintptr_t)__builtin_return_address(0);
    wait_at(AT_WARP);
    return self->answer;
}

// Lets the lanes go on that wait at the same operation. Those at the first line come first: so the lanes of a branch catch up with those that went past it,
// as they do on the hardware. Lanes that have ended, or wait at a barrier, take no part.
static int complete(struct fiber *warp, unsigned lanes) {
    struct fiber *first = NULL;
    for (struct fiber *fiber = warp; fiber < warp + lanes; fiber++) {
        if (fiber->progress != AT_WARP) continue;
        if (!first || fiber->line < first->line || (fiber->line == first->line && fiber->site < first->site)) first = fiber;
    }
    if (!first) return 0;
    uint32_t active = 0, votes = 0;
    for (unsigned lane = 0; lane < lanes; lane++) {
        struct fiber *fiber = &warp[lane];
        if (fiber->progress != AT_WARP || fiber->line != first->line || fiber->site != first->site) continue;
        active |= 1u << lane;
        if (fiber->predicate) votes |= 1u << lane;
    }
    for (unsigned lane = 0; lane < lanes; lane++) {
        struct fiber *fiber = &warp[lane];
        if (!(active >> lane & 1)) continue;
        int there = fiber->source < LANES && active >> fiber->source & 1;
        fiber->answer = (struct card_answer){there ? warp[fiber->source].value : NOBODY, votes, active};
        fiber->progress = READY;
    }
    return 1;
}

static void run_warp(struct fiber *warp, unsigned lanes) {
    do {
        for (struct fiber *fiber = warp; fiber < warp + lanes; fiber++) {
            if (fiber->progress != READY) continue;
            current = fiber;
            running->state->thread = fiber->thread;
            running->state->lane = fiber - warp;
            change(&scheduler, fiber);
        }
    } while (complete(warp, lanes));
}

static void run_block(struct card_dim block) {
    unsigned threads = block.x * block.y * block.z;
    for (unsigned i = 0; i < threads; i++) prepare(&fibers[i], i, block);
    for (int waiting = 1; waiting;) {
        for (unsigned first = 0; first < threads; first += LANES) run_warp(&fibers[first], threads - first < LANES ? threads - first : LANES);
        // All that have not ended wait at a barrier now.
        waiting = 0;
        for (unsigned i = 0; i < threads; i++) {
            if (fibers[i].progress != AT_BARRIER) continue;
            fibers[i].progress = READY;
            waiting = 1;
        }
    }
}

static void make_stacks(void) {
    if (stacks) return;
    stacks = mmap(NULL, (size_t)MOST_THREADS * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED) abort();
    for (int i = 0; i < MOST_THREADS; i++) mprotect(stacks + (size_t)i * STACK, PAGE, PROT_NONE);
}

int below_a_stack(const void *address) {
    size_t offset = (const unsigned char *)address - stacks;
    return stacks && (const unsigned char *)address >= stacks && offset < (size_t)MOST_THREADS * STACK && offset % STACK < PAGE;
}

int run_grid(const struct kernel *kernel, struct card_dim grid, struct card_dim block, unsigned shared, void **parameters) {
    struct card_state *state = kernel->state;
    running = kernel;
    arguments = parameters;
    state->block_size = block;
    state->grid = grid;
    state->barrier = barrier;
    state->exchange = exchange;
    if (kernel->cooperates) make_stacks();
    // What a block finds in its shared memory is undefined; so that no kernel relies on it, and none writes behind it, both are filled.
    memset(kernel->shared + shared, 0xa5, CARD_SHARED_BEHIND);
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) {
                state->block = (struct card_dim){x, y, z};
                memset(kernel->shared, 0xff, shared);
                if (kernel->cooperates) run_block(block);
                else kernel->block(parameters);
            }
    for (int i = 0; i < CARD_SHARED_BEHIND; i++)
        if (kernel->shared[shared + i] != 0xa5) return 0;
    return 1;
}
