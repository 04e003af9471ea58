/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop: order of timers, watches taken away while their event waits, signals, lateness. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../user/lib/loop.h"

#define MS 1000000ULL

static struct loop *loop;
static uint64_t fired_at[1024];
static size_t fired;

static int setup(void **state)
{
	(void)state;
	loop = loop_new();
	fired = 0;
	return loop ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

static void stop_at(struct timer *timer, uint64_t now_ns)
{
	(void)timer;
	(void)now_ns;
	loop_stop(loop);
}

/* Runs the loop for so long. */
static void run_for(uint64_t ms)
{
	struct timer end = {.fire = stop_at};

	assert_int_equal(loop_timer_set(loop, &end, loop_now_ns() + ms * MS), 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(end.position, 0);
}

static void remember(struct timer *timer, uint64_t now_ns)
{
	assert_true(timer->at_ns <= now_ns);
	assert_int_equal(timer->position, 0);
	fired_at[fired++] = timer->at_ns;
}

static void timers_fire_in_order(void **state)
{
	static struct timer timer[1000];
	uint64_t now = loop_now_ns();
	unsigned int seed = 7;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		timer[i] = (struct timer){.fire = remember};
		assert_int_equal(loop_timer_set(loop, &timer[i], now + MS * ((unsigned int)rand_r(&seed) % 50)), 0);
	}
	for (size_t i = 0; i < 1000; i += 2) /* set again, to another time, while set */
		assert_int_equal(loop_timer_set(loop, &timer[i], now + MS * ((unsigned int)rand_r(&seed) % 50)), 0);
	for (size_t i = 0; i < 1000; i += 5)
		loop_timer_stop(loop, &timer[i]);
	loop_timer_stop(loop, &timer[0]); /* not set: nothing happens */
	run_for(60);
	assert_int_equal(fired, 800);
	for (size_t i = 1; i < fired; i++)
		assert_true(fired_at[i - 1] <= fired_at[i]);
}

static size_t rounds;

static void again(struct timer *timer, uint64_t now_ns)
{
	rounds++;
	assert_int_equal(loop_timer_set(loop, timer, now_ns), 0);
}

static void now_does_not_hold_up_the_loop(void **state)
{
	struct timer busy = {.fire = again};

	(void)state;
	rounds = 0;
	assert_int_equal(loop_timer_set(loop, &busy, 0), 0);
	run_for(20); /* ends: the other timer has its turn */
	assert_true(rounds > 1);
	loop_timer_stop(loop, &busy);
}

static void sleep_long(struct timer *timer, uint64_t now_ns)
{
	(void)timer;
	(void)now_ns;
	usleep(30000);
}

static void lag_is_the_longest_lateness(void **state)
{
	uint64_t now = loop_now_ns();
	struct timer slow = {.fire = sleep_long}, late = {.fire = remember};
	uint64_t lag;

	(void)state;
	assert_int_equal(loop_timer_set(loop, &slow, now + MS), 0);
	assert_int_equal(loop_timer_set(loop, &late, now + 11 * MS), 0);
	run_for(50);
	lag = loop_lag_ns(loop);
	assert_int_equal(fired, 1);
	assert_true(lag >= 19 * MS); /* due at 11, held up until 31 */
	assert_true(loop_lag_ns(loop) < lag);
	assert_int_equal(loop_lag_ns(loop), 0);
}

/* ---- watches ---- */

struct pipe_watch {
	struct watch watch;
	int write_fd;
	struct pipe_watch *other; /* taken away and freed when this one is ready */
};

static size_t delivered;
static struct pipe_watch *last;

static void pipe_free(struct pipe_watch *old)
{
	loop_unwatch(loop, &old->watch);
	close(old->watch.fd);
	close(old->write_fd);
	free(old);
}

static void pipe_ready(struct watch *watch, uint32_t events)
{
	char byte;

	last = container_of(watch, struct pipe_watch, watch);
	assert_true(events & EPOLLIN);
	assert_int_equal(read(watch->fd, &byte, 1), 1);
	delivered++;
	if (last->other)
		pipe_free(last->other);
}

static struct pipe_watch *pipe_new(void)
{
	struct pipe_watch *new = calloc(1, sizeof(*new));
	int fd[2];

	assert_non_null(new);
	assert_int_equal(pipe(fd), 0);
	new->watch = (struct watch){.fd = fd[0], .ready = pipe_ready};
	new->write_fd = fd[1];
	assert_int_equal(loop_watch(loop, &new->watch, EPOLLIN), 0);
	assert_int_equal(write(new->write_fd, "x", 1), 1);
	return new;
}

static void unwatched_while_its_event_waits(void **state)
{
	struct pipe_watch *a = pipe_new(), *b = pipe_new();

	(void)state;
	delivered = 0;
	a->other = b; /* both are ready in one round: whoever comes first frees the other one */
	b->other = a;
	run_for(10);
	assert_int_equal(delivered, 1);
	pipe_free(last);
}

static void unwatches_itself(struct watch *watch, uint32_t events)
{
	(void)events;
	loop_unwatch(loop, watch);
	rounds++;
}

static void unwatched_by_itself(void **state)
{
	int fd[2];
	struct watch watch = {.ready = unwatches_itself};

	(void)state;
	rounds = 0;
	assert_int_equal(pipe(fd), 0);
	watch.fd = fd[0];
	assert_int_equal(write(fd[1], "x", 1), 1); /* stays readable: would be told each round */
	assert_int_equal(loop_watch(loop, &watch, EPOLLIN), 0);
	assert_int_equal(loop_watch(loop, &watch, EPOLLIN), -EEXIST);
	run_for(10);
	assert_int_equal(rounds, 1);
	assert_int_equal(loop_watch(loop, &watch, 0), 0); /* watched for nothing, then again for reading */
	run_for(10);
	assert_int_equal(rounds, 1);
	assert_int_equal(loop_rewatch(loop, &watch, EPOLLIN), 0);
	run_for(10);
	assert_int_equal(rounds, 2);
	close(fd[0]);
	close(fd[1]);
}

static void timers_come_after_what_is_ready(void **state)
{
	struct pipe_watch *a = pipe_new(), *b = pipe_new();
	struct timer end = {.fire = stop_at};

	(void)state;
	delivered = 0;
	assert_int_equal(loop_timer_set(loop, &end, 0), 0); /* due already, and yet both pipes come first */
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(delivered, 2);
	pipe_free(a);
	pipe_free(b);
}

/* ---- signals ---- */

static int caught[3];

static void count_signal(int signo, void *arg)
{
	assert_ptr_equal(arg, caught);
	caught[signo == SIGUSR1 ? 0 : signo == SIGUSR2 ? 1 : 2]++;
}

static void signals_come_from_the_loop(void **state)
{
	(void)state;
	assert_int_equal(loop_signal(loop, SIGUSR1, count_signal, caught), 0);
	assert_int_equal(loop_signal(loop, SIGUSR2, count_signal, caught), 0);
	assert_int_equal(loop_signal(loop, 0, count_signal, caught), -EINVAL);
	assert_int_equal(loop_signal(loop, 1000, count_signal, caught), -EINVAL);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	assert_int_equal(caught[0] + caught[1], 0); /* blocked until the loop runs */
	run_for(10);
	assert_int_equal(caught[0], 1);
	assert_int_equal(caught[1], 1);
	assert_int_equal(caught[2], 0);
}

static void stop_before_run_is_kept(void **state)
{
	(void)state;
	loop_stop(loop);
	assert_int_equal(loop_run(loop), 0);
	run_for(1); /* and only once */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(timers_fire_in_order),        TEST(now_does_not_hold_up_the_loop),
		TEST(lag_is_the_longest_lateness), TEST(unwatched_while_its_event_waits),
		TEST(unwatched_by_itself),         TEST(timers_come_after_what_is_ready),
		TEST(signals_come_from_the_loop),  TEST(stop_before_run_is_kept),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
