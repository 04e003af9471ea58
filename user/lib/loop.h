/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop: epoll for descriptors, one timerfd for a heap of timers, signalfd for signals. Watches and timers
 * are embedded in their owner; the loop allocates only its own arrays. One thread.
 */
#ifndef WEIR_LOOP_H
#define WEIR_LOOP_H

#include <stddef.h>
#include <stdint.h>

struct loop;

struct watch {
	int fd;
	void (*ready)(struct watch *watch, uint32_t events); /* EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP */
};

struct timer {
	uint64_t at_ns;  /* CLOCK_MONOTONIC; set by loop_timer_set */
	size_t position; /* in the heap, from 1; 0 = not set */
	void (*fire)(struct timer *timer, uint64_t now_ns);
};

/* New loop, or NULL with errno. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Watches watch->fd for `events`. The watch must stay where it is until loop_unwatch. Returns 0 or -errno. */
int loop_watch(struct loop *loop, struct watch *watch, uint32_t events);
int loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events);
/* Stops watching; safe inside a callback, also for a watch whose event is still to be delivered in this round. Does not close the fd. */
void loop_unwatch(struct loop *loop, struct watch *watch);
/* (Re)sets a timer to an absolute time. Returns 0 or -ENOMEM. */
int loop_timer_set(struct loop *loop, struct timer *timer, uint64_t at_ns);
void loop_timer_stop(struct loop *loop, struct timer *timer);
/* Blocks `signo` for the process and delivers it to `caught` from the loop. */
int loop_signal(struct loop *loop, int signo, void (*caught)(int signo, void *arg), void *arg);
/* Runs until loop_stop. Returns 0 or -errno. Remembers the longest lateness of a timer (loop_lag_ns reads and clears it). */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
uint64_t loop_lag_ns(struct loop *loop);
/* CLOCK_MONOTONIC in ns. */
uint64_t loop_now_ns(void);

#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
