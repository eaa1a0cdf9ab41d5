/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest automaton that accepts the same, in O(m log m) for m edges: two
 * partitions, of the states and of the edges, refine each other until nothing
 * tells two states of a set apart (Valmari and Lehtinen, STACS 2008). Edges to
 * DFA_DEAD are no edges, so a sparse automaton is quickly done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "route/regex_dfa.h"

/* Sets of the numbers 0..n-1; the members of a set stand together in `member`,
 * those marked for splitting off in front. */
struct partition {
	u32 sets;
	u32 *member;
	u32 *where;  /* in `member` */
	u32 *set;    /* of a number */
	u32 *first;  /* of a set, in `member` */
	u32 *end;    /* of a set */
	u32 *marked; /* how many of a set */
	u32 *touched;
	u32 touched_len;
};

struct edges {
	u32 count;
	u32 *tail, *head;
	u32 *label;
	u32 *into;	 /* edges by their head */
	u32 *into_first; /* of a state, in `into`; one more at the end */
};

struct minimiser {
	struct dfa *d;
	u32 live;     /* states from which something is accepted */
	u32 *live_of; /* number among the live ones, live: none */
	u32 *state;   /* the opposite */
	struct edges edges;
	struct partition states, cords;
};

static u32 *numbers(size_t n)
{
	return calloc(n + 1, sizeof(u32));
}

static bool partition_init(struct partition *p, u32 n)
{
	u32 i;

	p->member = numbers(n);
	p->where = numbers(n);
	p->set = numbers(n);
	p->first = numbers(n);
	p->end = numbers(n);
	p->marked = numbers(n);
	p->touched = numbers(n);
	if (!p->member || !p->where || !p->set || !p->first || !p->end || !p->marked ||
	    !p->touched)
		return false;
	p->sets = n ? 1 : 0;
	p->end[0] = n;
	for (i = 0; i < n; i++)
		p->member[i] = p->where[i] = i;
	return true;
}

static void partition_free(struct partition *p)
{
	free(p->member);
	free(p->where);
	free(p->set);
	free(p->first);
	free(p->end);
	free(p->marked);
	free(p->touched);
}

/* Once for each number at most before a split. */
static void partition_mark(struct partition *p, u32 n)
{
	u32 set = p->set[n], from = p->where[n], to = p->first[set] + p->marked[set];
	u32 other = p->member[to];

	if (from < to) /* marked already */
		return;
	p->member[from] = other;
	p->where[other] = from;
	p->member[to] = n;
	p->where[n] = to;
	if (!p->marked[set]++)
		p->touched[p->touched_len++] = set;
}

/* In each touched set the smaller of the marked and the unmarked becomes a new
 * set: that is what keeps the whole within m log m. */
static void partition_split(struct partition *p)
{
	while (p->touched_len) {
		u32 set = p->touched[--p->touched_len], new = p->sets, i;
		u32 middle = p->first[set] + p->marked[set];

		if (middle == p->end[set]) {
			p->marked[set] = 0;
			continue;
		}
		if (p->marked[set] <= p->end[set] - middle) {
			p->first[new] = p->first[set];
			p->end[new] = p->first[set] = middle;
		} else {
			p->end[new] = p->end[set];
			p->first[new] = p->end[set] = middle;
		}
		for (i = p->first[new]; i < p->end[new]; i++)
			p->set[p->member[i]] = new;
		p->marked[set] = p->marked[new] = 0;
		p->sets++;
	}
}

/* ---- what takes part ---- */

static bool accepts(const struct dfa *d, u32 s)
{
	return d->accept[s] != DFA_NO_RANK || d->accept_end[s] != DFA_NO_RANK;
}

/* Edges in the order of their labels, all states, by head: *into. */
static bool edges_by_head(const struct dfa *d, u32 **first, u32 **tails)
{
	size_t cells = (size_t)d->states * d->classes, i, count = 0;

	*first = numbers(d->states + 1);
	for (i = 0; i < cells; i++)
		count += d->next[i] != DFA_DEAD;
	*tails = numbers(count);
	if (!*first || !*tails)
		return false;
	for (i = 0; i < cells; i++)
		(*first)[d->next[i] + 1] += d->next[i] != DFA_DEAD;
	for (i = 0; i < d->states; i++)
		(*first)[i + 1] += (*first)[i];
	for (i = 0; i < cells; i++) {
		if (d->next[i] != DFA_DEAD)
			(*tails)[(*first)[d->next[i]]++] = (u32)(i / d->classes);
	}
	for (i = d->states; i > 0; i--)
		(*first)[i] = (*first)[i - 1];
	(*first)[0] = 0;
	return true;
}

/* Number the states from which an accepting one can be reached. */
static bool find_live(struct minimiser *m)
{
	auto_free u32 *first = NULL;
	auto_free u32 *tails = NULL;
	struct dfa *d = m->d;
	u32 s, i, k;

	m->live_of = numbers(d->states);
	m->state = numbers(d->states);
	if (!m->live_of || !m->state || !edges_by_head(d, &first, &tails))
		return false;
	for (s = 0; s < d->states; s++) {
		m->live_of[s] = d->states;
		if (accepts(d, s)) {
			m->live_of[s] = m->live;
			m->state[m->live++] = s;
		}
	}
	for (i = 0; i < m->live; i++) {
		for (k = first[m->state[i]]; k < first[m->state[i] + 1]; k++) {
			s = tails[k];
			if (m->live_of[s] != d->states)
				continue;
			m->live_of[s] = m->live;
			m->state[m->live++] = s;
		}
	}
	return true;
}

static u32 live_step(const struct minimiser *m, u32 live, u32 kind)
{
	return m->live_of[m->d->next[(size_t)m->state[live] * m->d->classes + kind]];
}

static bool collect_edges(struct minimiser *m)
{
	struct edges *e = &m->edges;
	u32 i, kind, head;

	e->into_first = numbers(m->live + 1);
	if (!e->into_first)
		return false;
	for (i = 0; i < m->live; i++) {
		for (kind = 0; kind < m->d->classes; kind++) {
			head = live_step(m, i, kind);
			if (head != m->d->states) {
				e->into_first[head + 1]++;
				e->count++;
			}
		}
	}
	e->tail = numbers(e->count);
	e->head = numbers(e->count);
	e->label = numbers(e->count);
	e->into = numbers(e->count);
	if (!e->tail || !e->head || !e->label || !e->into)
		return false;
	for (i = 0; i < m->live; i++)
		e->into_first[i + 1] += e->into_first[i];
	e->count = 0;
	for (kind = 0; kind < m->d->classes; kind++) {
		for (i = 0; i < m->live; i++) {
			head = live_step(m, i, kind);
			if (head == m->d->states)
				continue;
			e->tail[e->count] = i;
			e->head[e->count] = head;
			e->label[e->count] = kind;
			e->into[e->into_first[head]++] = e->count++;
		}
	}
	for (i = m->live; i > 0; i--)
		e->into_first[i] = e->into_first[i - 1];
	e->into_first[0] = 0;
	return true;
}

/* ---- refining ---- */

/* Of states, so that those of a set accept the same. */
struct signature {
	u32 accept, accept_end, back, live;
};

static int compare_signatures(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct signature, live));
}

static bool split_by_accept(struct minimiser *m)
{
	auto_free struct signature *sig = calloc(m->live + 1, sizeof(*sig));
	u32 i, k;

	if (!sig)
		return false;
	for (i = 0; i < m->live; i++) {
		sig[i].accept = m->d->accept[m->state[i]];
		sig[i].accept_end = m->d->accept_end[m->state[i]];
		sig[i].back = m->d->back[m->state[i]];
		sig[i].live = i;
	}
	qsort(sig, m->live, sizeof(*sig), compare_signatures);
	for (i = 0; i < m->live; i = k) {
		for (k = i; k < m->live && !compare_signatures(&sig[i], &sig[k]); k++)
			partition_mark(&m->states, sig[k].live);
		partition_split(&m->states);
	}
	return true;
}

static void split_by_label(struct minimiser *m)
{
	const struct edges *e = &m->edges;
	u32 i, k;

	for (i = 0; i < e->count; i = k) {
		for (k = i; k < e->count && e->label[k] == e->label[i]; k++)
			partition_mark(&m->cords, k);
		partition_split(&m->cords);
	}
}

/*
 * A cord is a set of edges with one label into one set of states. Each set of
 * states but one splits the cords that lead into it, each cord splits the sets
 * that it comes from.
 */
static void refine(struct minimiser *m)
{
	struct partition *states = &m->states, *cords = &m->cords;
	const struct edges *e = &m->edges;
	u32 set = 1, cord = 0, i, k;

	while (cord < cords->sets) {
		for (i = cords->first[cord]; i < cords->end[cord]; i++)
			partition_mark(states, e->tail[cords->member[i]]);
		partition_split(states);
		for (cord++; set < states->sets; set++) {
			for (i = states->first[set]; i < states->end[set]; i++) {
				u32 head = states->member[i];

				for (k = e->into_first[head];
				     k < e->into_first[head + 1]; k++)
					partition_mark(cords, e->into[k]);
			}
			partition_split(cords);
		}
	}
}

/* One state for each set, numbered as a walk breadth first comes upon them. */
static bool emit(const struct minimiser *m, struct dfa *out)
{
	const struct partition *p = &m->states;
	auto_free u32 *number = numbers(p->sets);
	auto_free u32 *queue = numbers(p->sets);
	u32 start = m->live_of[m->d->start], known = 0, i, kind;

	*out = *m->d;
	out->start = DFA_DEAD;
	if (!number || !queue || dfa_alloc(out, p->sets + 1, NULL))
		return false;
	if (start != m->d->states) {
		queue[known++] = p->set[start];
		out->start = number[p->set[start]] = known;
	}
	for (i = 0; i < known; i++) {
		u32 live = p->member[p->first[queue[i]]], s = m->state[live];
		u32 *row = out->next + (size_t)(i + 1) * out->classes;

		out->accept[i + 1] = m->d->accept[s];
		out->accept_end[i + 1] = m->d->accept_end[s];
		out->back[i + 1] = m->d->back[s];
		for (kind = 0; kind < out->classes; kind++) {
			u32 head = live_step(m, live, kind);

			if (head == m->d->states)
				continue;
			if (!number[p->set[head]]) {
				queue[known++] = p->set[head];
				number[p->set[head]] = known;
			}
			row[kind] = number[p->set[head]];
		}
	}
	out->states = known + 1;
	return true;
}

static void minimiser_free(struct minimiser *m)
{
	free(m->live_of);
	free(m->state);
	free(m->edges.tail);
	free(m->edges.head);
	free(m->edges.label);
	free(m->edges.into);
	free(m->edges.into_first);
	partition_free(&m->states);
	partition_free(&m->cords);
}

int dfa_minimise(struct dfa *d, struct err *err)
{
	struct minimiser m = {.d = d};
	struct dfa smaller;
	bool ok;

	ok = find_live(&m) && collect_edges(&m) && partition_init(&m.states, m.live) &&
	     partition_init(&m.cords, m.edges.count) && split_by_accept(&m);
	if (ok) {
		split_by_label(&m);
		refine(&m);
		ok = emit(&m, &smaller);
	}
	minimiser_free(&m);
	if (!ok)
		return err_set(err, -ENOMEM, "out of memory");
	dfa_free(d);
	*d = smaller;
	return 0;
}
