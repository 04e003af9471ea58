/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads /proc/locks (any user may, and it names the process that took the lock) and /proc/<pid>/fdinfo (needs the right
 * to look into that process; names the one that has it now, also when the lock was handed over).
 */
#include "holder.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* What a line of an fdinfo file says: 0 nothing of interest, more = better. */
struct search {
	char wanted[64];
	const char *better; /* a line that tells the right kind of descriptor; NULL = every one is */
};

/* How well the open file fits: 0 not, 1 has the wanted line, 2 is of the better kind too. */
static int judge(const char *path, const struct search *search)
{
	FILE *file = fopen(path, "re");
	bool wanted = false, better = search->better == NULL;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		wanted |= strstr(line, search->wanted) != NULL;
		better |= search->better && strstr(line, search->better);
	}
	fclose(file);
	return wanted ? 1 + better : 0;
}

static int judge_process(pid_t pid, const struct search *search)
{
	char path[64];
	struct dirent *entry;
	int best = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (best < 2 && (entry = readdir(dir))) {
		char file[sizeof(path) + sizeof(entry->d_name)];
		int fits;

		snprintf(file, sizeof(file), "/proc/%d/fdinfo/%s", (int)pid, entry->d_name);
		fits = judge(file, search);
		if (fits > best)
			best = fits;
	}
	closedir(dir);
	return best;
}

static pid_t search_processes(const struct search *search)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;
	int best = 0;

	if (!proc)
		return 0;
	while (best < 2 && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		int fits = pid > 0 && pid != getpid() ? judge_process(pid, search) : 0;

		if (fits > best) {
			best = fits;
			found = pid;
		}
	}
	closedir(proc);
	return found;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 00:2a:567 0 EOF", the file given as major:minor:inode */
static pid_t search_locks(const char *file_key)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	pid_t found = 0;

	if (!locks)
		return 0;
	while (!found && fgets(line, sizeof(line), locks)) {
		int pid = 0;

		if (strstr(line, file_key) && sscanf(line, "%*d: FLOCK %*s %*s %d", &pid) == 1 && pid > 0)
			found = pid;
	}
	fclose(locks);
	return found;
}

pid_t holder_of_lock(int fd)
{
	struct search search = {.better = NULL};
	struct stat stat;
	pid_t pid;

	if (fstat(fd, &stat))
		return 0;
	snprintf(search.wanted, sizeof(search.wanted), " %02x:%02x:%lu ", major(stat.st_dev), minor(stat.st_dev),
		 stat.st_ino);
	pid = search_locks(search.wanted);
	if (pid > 0 && pid != getpid() && kill(pid, 0) == 0)
		return pid;
	return search_processes(&search);
}

pid_t holder_of_program(uint32_t program_id)
{
	struct search search = {.better = "link_type:"};

	snprintf(search.wanted, sizeof(search.wanted), "prog_id:\t%u\n", program_id);
	return search_processes(&search);
}

const char *holder_describe(pid_t pid, char *text, size_t size)
{
	char path[64], name[32] = "";
	FILE *file;

	if (pid == 0) {
		snprintf(text, size, "a process that cannot be told");
		return text;
	}
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = 0;
	if (file)
		fclose(file);
	if (name[0])
		snprintf(text, size, "pid %d (%s)", (int)pid, name);
	else
		snprintf(text, size, "pid %d", (int)pid);
	return text;
}
