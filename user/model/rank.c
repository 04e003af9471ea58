/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranked rendezvous, evened. In: seed, service, members (identity, weight, eligible). Out: the owner of each slot.
 * Nothing is kept between calls.
 *
 * Stage 1 gives each slot to its best member and then evens: slots of members that have more than their quota go to
 * members that have less, first those that lose least by it. Stage 2 gives the slots of members that are not eligible
 * to the ones that are, in the same manner. Both are defined as one pass over all pairs (slot, member), sorted by
 * (what is lost, slot, identity), that takes a pair if it may be taken when its turn comes. Whether a slot wants to
 * leave and whether a member has room can only turn from yes to no during the pass, so it is enough to know for each
 * slot its next pair whose member has room. A heap holds these; if the member of the first has been filled meanwhile,
 * its slot is aimed anew: that pair can only lie further back. What a slow start holds back: rank_ramp.c.
 */
#include "rank.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rank_score.h"

struct row { /* a member that takes part; rows are in the order of identities, so that a lower row breaks ties */
	const struct addr *id;
	uint64_t key;
	uint32_t weight;
	uint32_t quota, count; /* slots that it is to have, and has */
	uint16_t position;     /* in the input */
};

struct wish {          /* a slot that is to move, and the best row with room for it */
	uint64_t loss; /* the score there, less the best score of all */
	uint64_t best;
	uint32_t slot;
	uint16_t from, to; /* rows; from is RANK_NONE for a slot without owner */
};

struct ranking {
	struct row *row;
	uint16_t *all;     /* the numbers of all rows, */
	uint16_t *room;    /* of those below quota; both by weight, then in order */
	struct wish *wish; /* heap, the least on top */
	uint32_t rows, rooms, wishes;
};

static int by_identity(const void *a, const void *b)
{
	return addr_compare(((const struct row *)a)->id, ((const struct row *)b)->id);
}

static int by_weight(const void *a, const void *b, void *row)
{
	uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
	const struct row *rows = row;

	return rows[x].weight != rows[y].weight ? (rows[x].weight < rows[y].weight ? -1 : 1) : x - y;
}

static void ranking_free(struct ranking *ranking)
{
	free(ranking->row);
	free(ranking->all);
	free(ranking->room);
	free(ranking->wish);
}

/* Rows for all members that have a weight; with `eligible`, of these only the eligible ones. */
static int ranking_init(struct ranking *ranking, const struct rank_input *input, bool eligible)
{
	uint32_t i;

	memset(ranking, 0, sizeof(*ranking));
	ranking->row = calloc(input->members + 1, sizeof(*ranking->row));
	ranking->all = calloc(input->members + 1, sizeof(*ranking->all));
	ranking->room = calloc(input->members + 1, sizeof(*ranking->room));
	ranking->wish = malloc(input->slots * sizeof(*ranking->wish));
	if (!ranking->row || !ranking->all || !ranking->room || !ranking->wish) {
		ranking_free(ranking);
		return -ENOMEM;
	}
	rank_score_init();
	for (i = 0; i < input->members; i++) {
		const struct rank_member *member = &input->member[i];
		struct row *row = &ranking->row[ranking->rows];

		if (!member->weight || (eligible && !member->eligible))
			continue;
		row->id = &member->id;
		row->key = rank_key(input->seed, input->service, &member->id);
		row->weight = member->weight;
		row->position = (uint16_t)i;
		ranking->all[ranking->rows] = (uint16_t)ranking->rows;
		ranking->rows++;
	}
	qsort(ranking->row, ranking->rows, sizeof(*ranking->row), by_identity);
	qsort_r(ranking->all, ranking->rows, sizeof(*ranking->all), by_weight, ranking->row);
	return 0;
}

struct remainder {
	uint64_t part;
	uint32_t row;
	bool above; /* holds more than its share rounded down */
};

static int by_remainder(const void *a, const void *b)
{
	const struct remainder *x = a, *y = b;

	if (x->part != y->part)
		return x->part > y->part ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* left > 0: one slot each to the largest remainders; < 0: one each from the smallest that can give, until done. */
static void hand_out(struct ranking *ranking, const struct remainder *remainder, int64_t left)
{
	struct row *row;
	uint32_t i;

	for (i = 0; left > 0; i++) {
		if (remainder[i].above)
			continue;
		ranking->row[remainder[i].row].quota++;
		left--;
	}
	for (i = ranking->rows; left < 0; i = i ? i : ranking->rows) {
		row = &ranking->row[remainder[--i].row];
		if (row->quota > row->count) {
			row->quota--;
			left++;
		}
	}
}

/*
 * Fair shares in whole slots. Stage 1, where nobody has a slot yet: rounded down, then what is left to the largest
 * remainders. In stage 2 no row gives up a slot, so that no quota is less than what its row has: else quotas would add
 * up to more than there is to give, and what is missing might all be missing to one row.
 */
static int set_quotas(struct ranking *ranking, uint32_t slots)
{
	struct remainder *remainder = calloc(ranking->rows, sizeof(*remainder));
	int64_t left = slots;
	uint64_t sum = 0;
	uint32_t i;

	if (!remainder)
		return -ENOMEM;
	for (i = 0; i < ranking->rows; i++)
		sum += ranking->row[i].weight;
	for (i = 0; i < ranking->rows; i++) {
		struct row *row = &ranking->row[i];
		uint64_t share = (uint64_t)slots * row->weight;

		row->quota = (uint32_t)(share / sum);
		remainder[i] = (struct remainder){.part = share % sum, .row = i, .above = row->count > row->quota};
		if (remainder[i].above)
			row->quota = row->count;
		left -= row->quota;
	}
	qsort(remainder, ranking->rows, sizeof(*remainder), by_remainder);
	hand_out(ranking, remainder, left);
	free(remainder);
	return 0;
}

static void list_rooms(struct ranking *ranking)
{
	uint32_t i;

	for (i = 0; i < ranking->rows; i++) {
		const struct row *row = &ranking->row[ranking->all[i]];

		if (row->count < row->quota)
			ranking->room[ranking->rooms++] = ranking->all[i];
	}
}

/*
 * The best of `list` for a slot; *least is its score. Logarithms are the slow part: among rows of one weight, which lie side
 * by side in a list, the draws tell, and only the best of each weight needs one.
 */
static uint16_t best_row(const struct ranking *ranking, const uint16_t *list, uint32_t length, uint32_t slot,
			 uint64_t *least)
{
	uint64_t slot_key = rank_slot_key(slot);
	uint16_t best = RANK_NONE;
	uint32_t i = 0;

	*least = UINT64_MAX;
	while (i < length) {
		uint32_t weight = ranking->row[list[i]].weight;
		uint16_t top = list[i];
		uint64_t top_draw = rank_draw(ranking->row[top].key, slot_key), score;

		for (i++; i < length && ranking->row[list[i]].weight == weight; i++) {
			uint64_t draw = rank_draw(ranking->row[list[i]].key, slot_key);

			if (rank_draws_tell(draw, top_draw) ? draw < top_draw
							    : rank_score(draw, weight) >= rank_score(top_draw, weight))
				continue;
			top = list[i];
			top_draw = draw;
		}
		score = rank_score(top_draw, weight);
		if (score < *least || (score == *least && top < best)) {
			*least = score;
			best = top;
		}
	}
	return best;
}

static void aim(const struct ranking *ranking, struct wish *wish)
{
	uint64_t score;

	wish->to = best_row(ranking, ranking->room, ranking->rooms, wish->slot, &score);
	wish->loss = score - wish->best;
}

/* No two wishes have the same slot, so that identities need no look here: aim() has gone by them. */
static bool comes_before(const struct wish *a, const struct wish *b)
{
	return a->loss != b->loss ? a->loss < b->loss : a->slot < b->slot;
}

static void sift_down(struct ranking *ranking, uint32_t at)
{
	struct wish *wish = ranking->wish, moved = wish[at];
	uint32_t child;

	while ((child = 2 * at + 1) < ranking->wishes) {
		if (child + 1 < ranking->wishes && comes_before(&wish[child + 1], &wish[child]))
			child++;
		if (!comes_before(&wish[child], &moved))
			break;
		wish[at] = wish[child];
		at = child;
	}
	wish[at] = moved;
}

static void drop_first(struct ranking *ranking)
{
	ranking->wish[0] = ranking->wish[--ranking->wishes];
	sift_down(ranking, 0);
}

static void take_slot(struct ranking *ranking, uint16_t to)
{
	struct row *row = &ranking->row[to];
	uint32_t i = 0;

	if (++row->count < row->quota)
		return;
	while (ranking->room[i] != to)
		i++;
	ranking->rooms--;
	memmove(&ranking->room[i], &ranking->room[i + 1], (ranking->rooms - i) * sizeof(*ranking->room));
}

/* The pass: owner[slot] becomes the number of a row. In the end each row has its quota: all add up to the slots. */
static void fulfil(struct ranking *ranking, uint16_t *owner)
{
	uint32_t i;

	for (i = ranking->wishes / 2; i-- > 0;)
		sift_down(ranking, i);
	while (ranking->wishes && ranking->rooms) {
		struct wish *first = &ranking->wish[0];
		struct row *from = first->from == RANK_NONE ? NULL : &ranking->row[first->from];

		if (from && from->count <= from->quota) {
			drop_first(ranking);
		} else if (ranking->row[first->to].count >= ranking->row[first->to].quota) {
			aim(ranking, first);
			sift_down(ranking, 0);
		} else {
			owner[first->slot] = first->to;
			if (from)
				from->count--;
			take_slot(ranking, first->to);
			drop_first(ranking);
		}
	}
}

static void add_wish(struct ranking *ranking, uint32_t slot, uint16_t from, uint64_t best)
{
	struct wish *wish = &ranking->wish[ranking->wishes++];

	*wish = (struct wish){.best = best, .slot = slot, .from = from};
	aim(ranking, wish);
}

static void own_by_row(struct ranking *ranking, uint32_t slots, uint16_t *own)
{
	uint64_t score;
	uint32_t slot;

	for (slot = 0; slot < slots; slot++) {
		own[slot] = best_row(ranking, ranking->all, ranking->rows, slot, &score);
		ranking->row[own[slot]].count++;
	}
	list_rooms(ranking);
	for (slot = 0; slot < slots; slot++) {
		const struct row *row = &ranking->row[own[slot]];

		if (row->count > row->quota)
			add_wish(ranking, slot, own[slot],
				 rank_score(rank_draw(row->key, rank_slot_key(slot)), row->weight));
	}
	fulfil(ranking, own);
}

static void set_none(uint16_t *table, uint32_t slots)
{
	memset(table, 0xff, slots * sizeof(*table));
}

int rank_own(const struct rank_input *input, uint16_t *own)
{
	struct ranking ranking;
	uint32_t slot;
	int error = ranking_init(&ranking, input, false);

	if (error)
		return error;
	if (!ranking.rows) {
		set_none(own, input->slots);
		goto out;
	}
	error = set_quotas(&ranking, input->slots);
	if (error)
		goto out;
	own_by_row(&ranking, input->slots, own);
	for (slot = 0; slot < input->slots; slot++)
		own[slot] = ranking.row[own[slot]].position;
out:
	ranking_free(&ranking);
	return error;
}

/* table[slot] = row of the owner, if that is eligible; counts. row_of[position] = row. */
static void keep_eligible(struct ranking *ranking, const uint16_t *row_of, uint32_t slots, const uint16_t *own,
			  uint16_t *table)
{
	uint32_t slot;

	for (slot = 0; slot < slots; slot++) {
		table[slot] = own[slot] == RANK_NONE ? RANK_NONE : row_of[own[slot]];
		if (table[slot] != RANK_NONE)
			ranking->row[table[slot]].count++;
	}
}

static void house_orphans(struct ranking *ranking, uint32_t slots, uint16_t *table)
{
	uint64_t score;
	uint32_t slot;

	list_rooms(ranking);
	for (slot = 0; slot < slots; slot++) {
		if (table[slot] != RANK_NONE)
			continue;
		best_row(ranking, ranking->all, ranking->rows, slot, &score);
		add_wish(ranking, slot, RANK_NONE, score);
	}
	fulfil(ranking, table);
}

int rank_table_whole(const struct rank_input *input, const uint16_t *own, uint16_t *table)
{
	struct ranking ranking;
	uint16_t *row_of = NULL;
	uint32_t i;
	int error = ranking_init(&ranking, input, true);

	if (error)
		return error;
	if (!ranking.rows) {
		set_none(table, input->slots);
		goto out;
	}
	row_of = malloc(input->members * sizeof(*row_of));
	if (!row_of) {
		error = -ENOMEM;
		goto out;
	}
	set_none(row_of, input->members);
	for (i = 0; i < ranking.rows; i++)
		row_of[ranking.row[i].position] = (uint16_t)i;
	keep_eligible(&ranking, row_of, input->slots, own, table);
	error = set_quotas(&ranking, input->slots);
	if (error)
		goto out;
	house_orphans(&ranking, input->slots, table);
	for (i = 0; i < input->slots; i++)
		table[i] = ranking.row[table[i]].position;
out:
	free(row_of);
	ranking_free(&ranking);
	return error;
}

uint64_t rank_digest(const struct rank_input *input)
{
	static const struct addr nobody;
	uint64_t digest = weir_mix(rank_key(input->seed, input->service, &nobody) + input->slots);
	uint32_t i;

	for (i = 0; i < input->members; i++) { /* a sum does not mind the order */
		const struct rank_member *member = &input->member[i];

		digest += weir_mix(rank_key(input->seed, input->service, &member->id) +
				   ((uint32_t)member->held_back << 16) + 2U * member->weight + member->eligible);
	}
	return digest;
}
