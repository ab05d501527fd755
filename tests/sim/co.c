/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Co: on ucontext, with the words that AddressSanitizer wants to hear when stacks are changed
 */
#include <assert.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/sim/co.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_SIZE (512U * 1024U)
#define POOL_MAX 32

struct Co {
        ucontext_t here, caller;
        void *stack;
        void (*fn)(void *);
        void *arg;
        bool returned;
        struct Co *outer;
        /* AddressSanitizer's */
        void *fake, *outer_fake;
        const void *outer_bottom;
        size_t outer_size;
};

static Co *running;
static void *pool[POOL_MAX];
static size_t n_pool;

static void *stack_get(void) {
        void *p;

        if (n_pool > 0)
                return pool[--n_pool];
        p = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        return p == MAP_FAILED ? NULL : p;
}

static void stack_put(void *p) {
        if (n_pool < POOL_MAX)
                pool[n_pool++] = p;
        else if (p)
                munmap(p, STACK_SIZE);
}

static void switch_begin(void **fake, const void *bottom, size_t size) {
#ifdef __SANITIZE_ADDRESS__
        __sanitizer_start_switch_fiber(fake, bottom, size);
#else
        (void) fake;
        (void) bottom;
        (void) size;
#endif
}

static void switch_end(void *fake, const void **bottom, size_t *size) {
#ifdef __SANITIZE_ADDRESS__
        __sanitizer_finish_switch_fiber(fake, bottom, size);
#else
        (void) fake;
        (void) bottom;
        (void) size;
#endif
}

static void entry(void) {
        Co *co = running;

        switch_end(NULL, &co->outer_bottom, &co->outer_size);
        co->fn(co->arg);
        co->returned = true;
        running = co->outer;
        switch_begin(NULL, co->outer_bottom, co->outer_size);
        swapcontext(&co->here, &co->caller);
}

static void context_init(ucontext_t *here, void *stack) {
        getcontext(here);
        here->uc_stack.ss_sp = stack;
        here->uc_stack.ss_size = STACK_SIZE;
        here->uc_link = NULL;
        makecontext(here, entry, 0);
}

Co *co_new(void (*fn)(void *), void *arg) {
        Co *co = calloc(1, sizeof(*co));

        if (!co)
                return NULL;
        co->stack = stack_get();
        if (!co->stack) {
                free(co);
                return NULL;
        }
        co->fn = fn;
        co->arg = arg;
        context_init(&co->here, co->stack);
        return co;
}

Co *co_free(Co *co) {
        if (co) {
                stack_put(co->stack);
                free(co);
        }
        return NULL;
}

void co_resume(Co *co) {
        assert(!co->returned);
        co->outer = running;
        running = co;
        switch_begin(&co->outer_fake, co->stack, STACK_SIZE);
        swapcontext(&co->caller, &co->here);
        switch_end(co->outer_fake, NULL, NULL);
}

void co_suspend(void) {
        Co *co = running;

        running = co->outer;
        switch_begin(&co->fake, co->outer_bottom, co->outer_size);
        swapcontext(&co->here, &co->caller);
        switch_end(co->fake, &co->outer_bottom, &co->outer_size);
}
