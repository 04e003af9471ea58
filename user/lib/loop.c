/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop (loop.h). In: descriptors, timers and signals from their owners. Out: their callbacks, one round after
 * the other: first what is ready, then the timers that are due, so that work put off by "now" during a round is done at its end, once.
 */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { ROUND_EVENTS = 64 };

struct caught_signal {
	void (*caught)(int signo, void *arg);
	void *arg;
};

struct loop {
	int epoll;
	bool stop;
	struct epoll_event event[ROUND_EVENTS]; /* of this round; data.ptr is NULL once unwatched */
	int events, delivered;
	struct timer **heap; /* from 1: the first is due next */
	size_t timers, room;
	struct watch clock; /* timerfd, set to the first timer */
	uint64_t clock_ns;  /* what it is set to; 0 = off */
	uint64_t lag_ns;
	struct watch signals;
	sigset_t caught_set;
	struct caught_signal caught[_NSIG];
};

uint64_t loop_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* ---- timers: a binary heap by time ---- */

static void heap_put(struct loop *loop, struct timer *timer, size_t position)
{
	loop->heap[position] = timer;
	timer->position = position;
}

static void heap_up(struct loop *loop, struct timer *timer, size_t position)
{
	while (position > 1 && timer->at_ns < loop->heap[position / 2]->at_ns) {
		heap_put(loop, loop->heap[position / 2], position);
		position /= 2;
	}
	heap_put(loop, timer, position);
}

static void heap_down(struct loop *loop, struct timer *timer, size_t position)
{
	for (;;) {
		size_t child = position * 2;

		if (child > loop->timers)
			break;
		if (child < loop->timers && loop->heap[child + 1]->at_ns < loop->heap[child]->at_ns)
			child++;
		if (loop->heap[child]->at_ns >= timer->at_ns)
			break;
		heap_put(loop, loop->heap[child], position);
		position = child;
	}
	heap_put(loop, timer, position);
}

static int heap_grow(struct loop *loop)
{
	size_t room = loop->room ? loop->room * 2 : 64;
	struct timer **heap;

	if (loop->timers + 1 < loop->room)
		return 0;
	heap = realloc(loop->heap, room * sizeof(struct timer *));
	if (!heap)
		return -ENOMEM;
	loop->heap = heap;
	loop->room = room;
	return 0;
}

int loop_timer_set(struct loop *loop, struct timer *timer, uint64_t at_ns)
{
	int err;

	loop_timer_stop(loop, timer);
	err = heap_grow(loop);
	if (err)
		return err;
	timer->at_ns = at_ns;
	loop->timers++;
	heap_up(loop, timer, loop->timers);
	return 0;
}

void loop_timer_stop(struct loop *loop, struct timer *timer)
{
	size_t position = timer->position;
	struct timer *last;

	if (!position)
		return;
	timer->position = 0;
	last = loop->heap[loop->timers--];
	if (last == timer)
		return;
	if (position > 1 && last->at_ns < loop->heap[position / 2]->at_ns)
		heap_up(loop, last, position);
	else
		heap_down(loop, last, position);
}

/* The descriptor is only touched when the first timer is another one than last time. */
static void clock_set(struct loop *loop)
{
	uint64_t at_ns = loop->timers ? loop->heap[1]->at_ns : 0;
	struct itimerspec at = {0};

	if (loop->timers && at_ns == 0)
		at_ns = 1; /* 0 would switch the clock off */
	if (at_ns == loop->clock_ns)
		return;
	at.it_value.tv_sec = (time_t)(at_ns / 1000000000U);
	at.it_value.tv_nsec = (long)(at_ns % 1000000000U);
	timerfd_settime(loop->clock.fd, TFD_TIMER_ABSTIME, &at, NULL);
	loop->clock_ns = at_ns;
}

static void clock_ready(struct watch *watch, uint32_t events)
{
	struct loop *loop = container_of(watch, struct loop, clock);
	uint64_t times;

	(void)events;
	if (read(watch->fd, &times, sizeof(times)) == sizeof(times))
		loop->clock_ns = 0; /* it has gone off: set it anew even to the same time */
}

/* Each timer set when the round began fires at most once, so a timer that sets itself to "now" cannot hold up the loop. */
static void timers_fire(struct loop *loop)
{
	uint64_t now_ns = loop_now_ns();
	size_t most = loop->timers;

	while (most-- > 0 && loop->timers && loop->heap[1]->at_ns <= now_ns && !loop->stop) {
		struct timer *timer = loop->heap[1];
		uint64_t late_ns = now_ns - timer->at_ns;

		/* at_ns 0 means "as soon as you can": it has no time to be late against. */
		if (timer->at_ns && late_ns > loop->lag_ns)
			loop->lag_ns = late_ns;
		loop_timer_stop(loop, timer);
		timer->fire(timer, now_ns);
	}
}

uint64_t loop_lag_ns(struct loop *loop)
{
	uint64_t lag_ns = loop->lag_ns;

	loop->lag_ns = 0;
	return lag_ns;
}

/* ---- descriptors ---- */

static int control(struct loop *loop, int op, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return epoll_ctl(loop->epoll, op, watch->fd, &event) ? -errno : 0;
}

int loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, watch, events);
}

int loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, watch, events);
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
	(void)control(loop, EPOLL_CTL_DEL, watch, 0);
	for (int i = loop->delivered; i < loop->events; i++)
		if (loop->event[i].data.ptr == watch)
			loop->event[i].data.ptr = NULL;
}

/* ---- signals ---- */

static void signals_ready(struct watch *watch, uint32_t events)
{
	struct loop *loop = container_of(watch, struct loop, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
		const struct caught_signal *caught = &loop->caught[info.ssi_signo];

		if (caught->caught)
			caught->caught((int)info.ssi_signo, caught->arg);
	}
}

int loop_signal(struct loop *loop, int signo, void (*caught)(int signo, void *arg), void *arg)
{
	bool first = loop->signals.fd < 0;
	int fd;

	if (signo <= 0 || signo >= _NSIG || sigaddset(&loop->caught_set, signo))
		return -EINVAL;
	if (sigprocmask(SIG_BLOCK, &loop->caught_set, NULL))
		return -errno;
	fd = signalfd(loop->signals.fd, &loop->caught_set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	loop->caught[signo] = (struct caught_signal){caught, arg};
	loop->signals.fd = fd;
	return first ? loop_watch(loop, &loop->signals, EPOLLIN) : 0;
}

/* ---- the loop itself ---- */

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	sigemptyset(&loop->caught_set);
	loop->signals = (struct watch){.fd = -1, .ready = signals_ready};
	loop->clock = (struct watch){.fd = -1, .ready = clock_ready};
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		goto out;
	loop->clock.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->clock.fd < 0 || loop_watch(loop, &loop->clock, EPOLLIN))
		goto out;
	return loop;
out:
	loop_free(loop);
	return NULL;
}

static void descriptor_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void loop_free(struct loop *loop)
{
	int saved = errno;

	if (!loop)
		return;
	for (size_t i = 1; i <= loop->timers; i++)
		loop->heap[i]->position = 0;
	descriptor_close(loop->signals.fd);
	descriptor_close(loop->clock.fd);
	descriptor_close(loop->epoll);
	free(loop->heap);
	free(loop);
	errno = saved;
}

int loop_run(struct loop *loop)
{
	int err = 0;

	while (!loop->stop) {
		clock_set(loop);
		loop->delivered = 0;
		loop->events = epoll_wait(loop->epoll, loop->event, ROUND_EVENTS, -1);
		if (loop->events < 0 && errno != EINTR) {
			err = -errno;
			break;
		}
		while (loop->delivered < loop->events && !loop->stop) {
			const struct epoll_event *event = &loop->event[loop->delivered++];
			struct watch *watch = event->data.ptr;

			if (watch)
				watch->ready(watch, event->events);
		}
		if (!loop->stop)
			timers_fire(loop);
	}
	loop->events = 0;
	loop->stop = false;
	return err;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}
