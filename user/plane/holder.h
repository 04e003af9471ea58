/* SPDX-License-Identifier: BSD-2-Clause */
/* Who holds a lock or an XDP program: looked for in /proc, only when a message has to name the process. */
#ifndef WEIR_HOLDER_H
#define WEIR_HOLDER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The process that holds the flock on the file of this descriptor, other than this one; 0 = cannot be told. */
pid_t holder_of_lock(int fd);
/* A process that has a link of the program open, or else the program itself, other than this one; 0 = cannot be told. */
pid_t holder_of_program(uint32_t program_id);
/* "pid 123 (weir-agent)", or "a process that cannot be told" for 0; returns text. */
const char *holder_describe(pid_t pid, char *text, size_t size);

#endif
