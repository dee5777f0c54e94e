/* What the programs that measure have in common. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Nanoseconds since some moment. */
static inline long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* What isn't ok ends the program: a measurement of what failed is none. */
static inline void need(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

#endif
