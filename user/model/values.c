/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of the grammar -> numbers, times, names, addresses, ports. */
#include "values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const value_forward[2] = {[WEIR_DSR] = "dsr", [WEIR_IPIP] = "ipip"};
const char *const value_affinity[3] = {
	[WEIR_AFFINITY_FLOW] = "flow", [WEIR_AFFINITY_CLIENT] = "client", [WEIR_AFFINITY_NONE] = "none"};
const char *const value_xdp[3] = {
	[XDP_MODE_NATIVE] = "native", [XDP_MODE_GENERIC] = "generic", [XDP_MODE_AUTO] = "auto"};
const char *const value_on_down[2] = {[ON_DOWN_KEEP] = "keep", [ON_DOWN_RESET] = "reset"};

/* Digits only, no leading zeros. 0 or -EINVAL. */
static int parse_number(const char *text, size_t length, uint32_t *out)
{
	uint64_t number = 0;

	if (length == 0 || (length > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		number = number * 10 + (uint64_t)(text[i] - '0');
		/* Kept, so that what is far too big is told as out of range. */
		if (number > UINT32_MAX)
			number = UINT32_MAX;
	}
	*out = (uint32_t)number;
	return 0;
}

int value_number(struct reading *r, const struct word *word, const char *what, uint32_t least, uint32_t most,
		 uint32_t *out)
{
	uint32_t number;

	if (word->quoted || parse_number(word->text, word->length, &number) < 0)
		return block_fault(r, word, "%s \"%s\": not a number (%u-%u)", what, word_show(word).text, least, most);
	if (number < least || number > most)
		return block_fault(r, word, "%s %s: out of range, %u-%u", what, word_show(word).text, least, most);
	*out = number;
	return 0;
}

static const struct {
	const char *text;
	uint32_t ms;
} time_unit[] = {{"ms", 1}, {"s", SECOND_MS}, {"m", MINUTE_MS}, {"h", HOUR_MS}};

enum { TIME_UNITS = sizeof(time_unit) / sizeof(time_unit[0]) };

struct value_time_text value_time_text(uint32_t ms)
{
	struct value_time_text shown;
	size_t unit = TIME_UNITS - 1;

	while (unit > 0 && (ms == 0 || ms % time_unit[unit].ms))
		unit--;
	snprintf(shown.text, sizeof(shown.text), "%u%s", ms / time_unit[unit].ms, time_unit[unit].text);
	return shown;
}

/* none: a word that may stand there instead of a time, for the faults; or NULL. */
static int read_time(struct reading *r, const struct word *word, const char *what, const char *none, uint32_t least_ms,
		     uint32_t most_ms, uint32_t *out_ms)
{
	size_t digits = strspn(word->text, "0123456789"), unit = 0;
	struct word_shown shown = word_show(word);
	const char *before = none ? " or " : "", *instead = none ? none : "";
	uint32_t number;
	uint64_t ms;

	while (unit < TIME_UNITS && strcmp(word->text + digits, time_unit[unit].text) != 0)
		unit++;
	if (!word->quoted && digits && digits == word->length)
		return block_fault(r, word, "%s %s: a time needs a unit: %sms, %ss, %sm or %sh", what, shown.text,
				   shown.text, shown.text, shown.text, shown.text);
	if (word->quoted || unit == TIME_UNITS || parse_number(word->text, digits, &number) < 0)
		return block_fault(r, word, "%s \"%s\": not a time such as 10ms, 2s, 5m or 1h%s%s%s%s", what,
				   shown.text, none ? "," : "", before, instead,
				   block_hint(word, &none, none ? 1 : 0).text);
	ms = (uint64_t)number * time_unit[unit].ms;
	if (ms < least_ms || ms > most_ms)
		return block_fault(r, word, "%s %s: out of range, %s-%s%s%s", what, shown.text,
				   value_time_text(least_ms).text, value_time_text(most_ms).text, before, instead);
	*out_ms = (uint32_t)ms;
	return 0;
}

int value_time(struct reading *r, const struct word *word, const char *what, uint32_t least_ms, uint32_t most_ms,
	       uint32_t *out_ms)
{
	return read_time(r, word, what, NULL, least_ms, most_ms, out_ms);
}

int value_time_or(struct reading *r, const struct word *word, const char *what, const char *none, uint32_t least_ms,
		  uint32_t most_ms, uint32_t *out_ms)
{
	if (!word_is(word, none))
		return read_time(r, word, what, none, least_ms, most_ms, out_ms);
	*out_ms = 0;
	return 0;
}

int value_choice(struct reading *r, const struct word *word, const char *what, const char *const *choice,
		 size_t choices, size_t *out)
{
	char list[128] = "";
	size_t used = 0;

	for (size_t i = 0; i < choices; i++) {
		if (word_is(word, choice[i])) {
			*out = i;
			return 0;
		}
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 i == 0             ? ""
						 : i + 1 == choices ? " or "
								    : ", ",
						 choice[i]);
	}
	return block_fault(r, word, "%s \"%s\": must be %s%s", what, word_show(word).text, list,
			   block_hint(word, choice, choices).text);
}

int value_name(struct reading *r, const struct word *word, const char *what, char *out, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (word->length == 0 || word->length >= size || strspn(word->text, allowed) != word->length)
		return block_fault(r, word, "%s \"%s\": a name has 1 to %zu letters, digits and . _ -", what,
				   word_show(word).text, size - 1);
	memcpy(out, word->text, word->length + 1);
	return 0;
}

int value_text(struct reading *r, const struct word *word, const char *what, char *out, size_t size)
{
	if (word->length == 0 || word->length >= size || strlen(word->text) != word->length)
		return block_fault(r, word, "%s \"%s\": must be a text of 1 to %zu bytes, none of them 0", what,
				   word_show(word).text, size - 1);
	memcpy(out, word->text, word->length + 1);
	return 0;
}

int value_unicast(struct reading *r, const struct word *word, const char *what, const struct addr *addr)
{
	char text[ADDR_TEXT];

	if (addr_is_unicast(addr))
		return 0;
	return block_fault(
		r, word, "%s %s: must be an address of one machine (not loopback, multicast, broadcast or link local)",
		what, addr_format(addr, text));
}

int value_address(struct reading *r, const struct word *word, const char *what, struct addr *out)
{
	if (addr_parse(word->text, word->length, out) < 0)
		return block_fault(r, word, "%s \"%s\": not an IPv4 or IPv6 address%s", what, word_show(word).text,
				   strchr(word->text, '/') ? " (no prefix length belongs here)" : "");
	return value_unicast(r, word, what, out);
}

static int parse_port(const char *text, size_t length, uint16_t *port)
{
	uint32_t number;

	if (parse_number(text, length, &number) < 0 || number < 1 || number > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)number;
	return 0;
}

static int parse_ports(const char *text, uint16_t *first, uint16_t *last)
{
	const char *dash = strchr(text, '-');
	size_t length = strlen(text), head = dash ? (size_t)(dash - text) : length;

	if (strcmp(text, "any") == 0) {
		*first = 0;
		*last = UINT16_MAX;
		return 0;
	}
	if (parse_port(text, head, first) < 0)
		return -EINVAL;
	*last = *first;
	if (dash && parse_port(dash + 1, length - head - 1, last) < 0)
		return -EINVAL;
	return *first <= *last ? 0 : -EINVAL;
}

int value_ports(struct reading *r, const struct word *word, const char *text, uint16_t *first, uint16_t *last)
{
	struct word tail = *word;

	tail.text = text;
	tail.length = word->length - (size_t)(text - word->text);
	if (!word->quoted && strlen(text) == tail.length && parse_ports(text, first, last) == 0)
		return 0;
	return block_fault(r, word, "port \"%s\": must be 1-65535, a range such as 8000-8099, or any",
			   word_show(&tail).text);
}

int value_interface(struct reading *r, const struct word *word, char *name)
{
	bool good = word->length > 0 && word->length < IFNAMSIZ;

	/* As the kernel has it, dev_valid_name(), but no control characters either. */
	for (size_t i = 0; i < word->length; i++)
		good = good && (unsigned char)word->text[i] > ' ' && word->text[i] != 0x7f;
	good = good && !strpbrk(word->text, "/:") && strcmp(word->text, ".") != 0 && strcmp(word->text, "..") != 0;
	if (!good)
		return block_fault(
			r, word, "interface \"%s\": not the name of an interface (1 to %d characters, no / : or blank)",
			word_show(word).text, IFNAMSIZ - 1);
	memcpy(name, word->text, word->length + 1);
	return 0;
}
