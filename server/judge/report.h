/* Reports: what is told of everybody who was there, in one of several forms. Pure: values go in,
 * text comes out piece by piece, so that whoever sends a report holds no more of it than the piece
 * at hand. Whatever a peer sent is text in them, never markup. */
#ifndef SKY_SERVER_JUDGE_REPORT_H
#define SKY_SERVER_JUDGE_REPORT_H

#include "protocol/base/json.h"
#include "server/judge/verdicts.h"

enum {
    SKY_REPORT_FORMAT = 1,       /* of report.json: grows when what was there means another thing */
    SKY_REPORT_LAST_EVENTS = 10, /* told beside a failure */
    SKY_REPORT_MESSAGE_MAX = 1024, /* bytes of a rule and what was found, in one line */
    SKY_REPORT_PIECE_MAX =
        512 * 1024, /* bytes that one piece may have, whatever is escaped in it */
};

typedef size_t sky_verdict_counts[SKY_VERDICT_FAILED + 1];

/* What is told at the head, once everybody's conduct has been looked at. Borrowed values. */
struct sky_report {
    const struct sky_catalogue *catalogue;
    const char *version; /* of the program */
    const char *scope;   /* the device or product it speaks of; "": everybody */
    bool whole_run;      /* or the chapter */
    bool seeded;         /* `seed` was given */
    int64_t seed;
    int64_t started_ms, ended_ms, now_ms; /* real Unix time of the start and of the report; virtual
                                             time of the report */
    uint64_t events, events_lost;         /* of the parties, that can be read; of the journal, that
                                             are gone */
    uint64_t strangers_lost;
    sky_span expected; /* JSON: an array */

    /* By sky_report_count(). */
    enum sky_verdict verdict;
    const char *suites; /* verdict of the runs of device suites that are told of; NULL: none */
    sky_verdict_counts parties, rules;
    struct sky_report_cloud {
        const struct sky_cloud *cloud; /* NULL: unknown */
        size_t parties;
        /* Rules that one of them broke; that none broke and one kept. */
        uint64_t broken[(SKY_RULES_MAX + 63) / 64], kept[(SKY_RULES_MAX + 63) / 64];
    } clouds[SKY_TABLES_SPECIAL_MAX + 1];
    size_t cloud_count;
};

struct sky_report_party {
    const char *name;
    const struct sky_cloud *cloud; /* NULL: unknown */
    bool device;
    bool gone; /* it was a device, and has been removed */
    const struct sky_conduct *conduct;
    enum sky_verdict verdict;
    sky_verdict_counts rules;
    uint64_t events; /* of its own, that can be read */
    sky_span last;   /* the last of them, a line each */
    size_t place;    /* among all that are told of, from 0 */
    size_t told;     /* its rules that have been told of */
};

struct sky_report_rule {
    size_t index;
    const struct sky_rule *row;
    enum sky_verdict verdict;
    const struct sky_proof *proof; /* NULL: it was not broken */
};

/* Judges the party: verdict, and verdicts of the rules that are told of it. */
void sky_report_judge(const struct sky_report *report, struct sky_report_party *party);
/* Adds what was judged to the report's head. */
void sky_report_count(struct sky_report *report, const struct sky_report_party *party);

/* Is the rule told of this party? Every rule that speaks of a device; of whoever is none, what it
 * broke. */
bool sky_report_has_rule(const struct sky_report *report, const struct sky_report_party *party,
                         size_t index);
/* The rule as the party kept it. */
struct sky_report_rule sky_report_rule(const struct sky_report *report,
                                       const struct sky_report_party *party, size_t index);

/* A text of the explanation, as it is written in JSON; empty: it has none of that name. */
static inline sky_span sky_report_explained(const struct sky_proof *proof, const char *member)
{
    return sky_json_text(sky_json_member(
        sky_span_str(proof->explanation != NULL ? proof->explanation : ""), member));
}

static inline bool sky_report_breaks(const struct sky_report_cloud *cloud, size_t index)
{
    return cloud->broken[index / 64] >> (index % 64) & 1;
}
static inline bool sky_report_keeps(const struct sky_report_cloud *cloud, size_t index)
{
    return cloud->kept[index / 64] >> (index % 64) & ~(cloud->broken[index / 64] >> (index % 64)) &
           1;
}

/* One form of a report. Pieces come in this order: the head, behind which others may tell of
 * theirs; a table for each cloud, with a row for each of its parties; the beginning of the parties;
 * each with its rules, then its timeline with its events, and its end; the end. NULL: the form has
 * no such piece. */
struct sky_report_form {
    const char *content_type;
    const char *end_mark; /* its last bytes: a report that lacks them was cut off */
    void (*head)(struct sky_buf *out, const struct sky_report *report);
    void (*table)(struct sky_buf *out, const struct sky_report *report,
                  const struct sky_report_cloud *cloud);
    void (*row)(struct sky_buf *out, const struct sky_report *report,
                const struct sky_report_cloud *cloud, const struct sky_report_party *party);
    void (*table_end)(struct sky_buf *out);
    void (*parties)(struct sky_buf *out);
    void (*party)(struct sky_buf *out, const struct sky_report *report,
                  const struct sky_report_party *party);
    void (*rule)(struct sky_buf *out, const struct sky_report *report,
                 const struct sky_report_party *party, const struct sky_report_rule *rule);
    void (*timeline)(struct sky_buf *out, const struct sky_report *report,
                     const struct sky_report_party *party);
    size_t events_max; /* the last ones that are told of each party; 0: none is */
    void (*event)(struct sky_buf *out, sky_span line);
    void (*party_end)(struct sky_buf *out, const struct sky_report *report,
                      const struct sky_report_party *party);
    void (*end)(struct sky_buf *out, const struct sky_report *report);
};

extern const struct sky_report_form sky_report_junit, sky_report_json, sky_report_html;

/* The frame of the page, for what else is told in its style; `verdict` is its title, as text. */
void sky_report_page_begin(struct sky_buf *out, const char *verdict);
void sky_report_page_end(struct sky_buf *out);

/* A rule as members of an open object: id, owner, and what sky_rule_print() has. */
void sky_report_put_rule(struct sky_jw *jw, const struct sky_catalogue *catalogue, size_t index);
/* The same with what a party made of it. */
void sky_report_put_verdict(struct sky_jw *jw, const struct sky_catalogue *catalogue,
                            const struct sky_report_rule *rule);

#endif
