#include "server/judge/intervals.h"

#include <math.h>

#include "protocol/base/assert.h"
#include "protocol/base/mem.h"

static const char *const names[] = {[SKY_INTERVALS_NONE] = "none",
                                    [SKY_INTERVALS_CONSTANT] = "constant",
                                    [SKY_INTERVALS_LINEAR] = "linear",
                                    [SKY_INTERVALS_EXPONENTIAL] = "exponential",
                                    [SKY_INTERVALS_EXPONENTIAL_JITTER] = "exponential-jitter"};

const char *sky_interval_class_name(enum sky_interval_class kind)
{
    SKY_ASSERT(kind < SKY_COUNT(names));
    return names[kind];
}

bool sky_interval_class_parse(const char *name, enum sky_interval_class *ret_kind)
{
    for (size_t i = 0; i < SKY_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret_kind = (enum sky_interval_class)i;
            return true;
        }
    }
    return false;
}

/* Some intervals in order, in ms. */
struct ramp {
    const double *ms;
    size_t count;
};

static struct ramp head_of(struct ramp ramp, size_t count)
{
    return (struct ramp){ramp.ms, count};
}

static struct ramp tail_of(struct ramp ramp, size_t skip)
{
    return (struct ramp){ramp.ms + skip, ramp.count - skip};
}

static double last_of(struct ramp ramp)
{
    return ramp.ms[ramp.count - 1];
}

static double shortest(struct ramp ramp)
{
    double ms = ramp.ms[0];
    for (size_t i = 1; i < ramp.count; i++)
        ms = fmin(ms, ramp.ms[i]);
    return ms;
}

static double longest(struct ramp ramp)
{
    double ms = ramp.ms[0];
    for (size_t i = 1; i < ramp.count; i++)
        ms = fmax(ms, ramp.ms[i]);
    return ms;
}

static bool is_same(double a, double b)
{
    return fabs(a - b) <= SKY_INTERVALS_SLACK_MS + fmax(a, b) * SKY_INTERVALS_SLACK / 100;
}

/* ---- growth without chance ---- */

/* floor + first * factor^i + step * i */
struct curve {
    double floor, first, factor, step;
};

static double at(const struct curve *curve, size_t i)
{
    return curve->floor + curve->first * pow(curve->factor, (double)i) + curve->step * (double)i;
}

/* The worst that the ramp is off the curve; negative when one interval is too far off. */
static double error_of(struct ramp ramp, const struct curve *curve)
{
    double worst = 0;
    for (size_t i = 0; i < ramp.count; i++) {
        if (!is_same(ramp.ms[i], at(curve, i)))
            return -1;
        worst = fmax(worst, fabs(ramp.ms[i] - at(curve, i)));
    }
    return worst;
}

static bool is_factor(double factor)
{
    return factor * 100 >= SKY_INTERVALS_FACTOR_MIN && factor * 100 <= SKY_INTERVALS_FACTOR_MAX;
}

/* Every connecting takes as long on top of a growing wait: the curve through the first interval,
 * the one in the middle and the last, as far as the two halves are equal. */
static bool with_floor(struct ramp ramp, struct curve *ret_curve)
{
    size_t half = (ramp.count - 1) / 2;
    double a = ramp.ms[0], b = ramp.ms[half], c = ramp.ms[2 * half];
    if (ramp.count <= SKY_INTERVALS_JITTER_MIN || b <= a || a + c <= 2 * b)
        return false;
    double floor = (a * c - b * b) / (a + c - 2 * b);
    if (floor <= 0 || floor > SKY_INTERVALS_CONNECTING_MAX_MS || floor >= a)
        return false;
    *ret_curve = (struct curve){.floor = floor,
                                .first = a - floor,
                                .factor = pow((b - floor) / (a - floor), 1.0 / (double)half)};
    return is_factor(ret_curve->factor);
}

/* The curve that is nearest; NONE when none is near enough. */
static enum sky_interval_class fit(struct ramp ramp, struct curve *ret_curve)
{
    double first = ramp.ms[0], last = last_of(ramp), steps = (double)ramp.count - 1;
    enum sky_interval_class kind = SKY_INTERVALS_NONE;
    if (last <= first || is_same(first, last))
        return kind;
    const double factor = first > 0 ? pow(last / first, 1 / steps) : 0;
    struct curve curves[3] = {{.first = first, .factor = 1, .step = (last - first) / steps},
                              {.first = first, .factor = factor}};
    const bool sound[3] = {true, is_factor(factor), with_floor(ramp, &curves[2])};
    double best = INFINITY;
    for (size_t i = 0; i < SKY_COUNT(curves); i++) {
        double error = sound[i] ? error_of(ramp, &curves[i]) : -1;
        if (error < 0 || error >= best)
            continue;
        best = error;
        *ret_curve = curves[i];
        kind = i == 0 ? SKY_INTERVALS_LINEAR : SKY_INTERVALS_EXPONENTIAL;
    }
    return kind;
}

/* Growth up to where it stands still. The last one may be the longest wait, that lies below the
 * curve of the others. */
static enum sky_interval_class growth(struct ramp ramp)
{
    struct curve curve;
    size_t count = ramp.count;
    while (count >= 2 && is_same(ramp.ms[count - 1], ramp.ms[count - 2]))
        count--;
    bool stands = count < ramp.count;
    if (count < SKY_INTERVALS_MIN)
        return SKY_INTERVALS_NONE;
    enum sky_interval_class kind = fit(head_of(ramp, count), &curve);
    if (kind != SKY_INTERVALS_NONE ||
        --count < (stands ? SKY_INTERVALS_MIN : SKY_INTERVALS_JITTER_MIN))
        return kind;
    double capped = ramp.ms[count];
    kind = fit(head_of(ramp, count), &curve);
    bool below = kind != SKY_INTERVALS_NONE && capped >= ramp.ms[count - 1] &&
                 (capped < at(&curve, count) || is_same(capped, at(&curve, count)));
    return below ? kind : SKY_INTERVALS_NONE;
}

/* Without chance, from the first interval on or from the second. */
static enum sky_interval_class strict(struct ramp ramp)
{
    enum sky_interval_class kind = SKY_INTERVALS_NONE;
    for (size_t skip = 0; skip < 2 && kind == SKY_INTERVALS_NONE; skip++) {
        struct ramp rest = tail_of(ramp, skip);
        if (skip > 0 && ramp.ms[0] >= rest.ms[0])
            break;
        kind = is_same(shortest(rest), longest(rest)) ? SKY_INTERVALS_CONSTANT : growth(rest);
    }
    return kind;
}

/* ---- ramps that begin anew unannounced ---- */

/* The longest of the pieces that begin where an interval is half of the one before or less, if all
 * of them begin in the same way; else nothing. */
static struct ramp repeated(struct ramp ramp)
{
    struct ramp best = {ramp.ms, 0};
    size_t start = 0;
    for (size_t i = 1; i <= ramp.count; i++) {
        if (i < ramp.count && ramp.ms[i] * 2 > ramp.ms[i - 1])
            continue;
        if (i - start > best.count)
            best = (struct ramp){ramp.ms + start, i - start};
        start = i;
    }
    size_t place = 0;
    for (size_t i = 0; i < ramp.count; i++, place++) {
        if (i > 0 && ramp.ms[i] * 2 <= ramp.ms[i - 1])
            place = 0;
        if (!is_same(ramp.ms[i], best.ms[place]))
            return (struct ramp){ramp.ms, 0};
    }
    return best;
}

/* ---- growth with chance ---- */

/* By how many octaves the intervals grow at each step: the slope of the straight line that lies
 * nearest to their logarithms. */
static double octaves(struct ramp ramp)
{
    double middle = ((double)ramp.count - 1) / 2, above = 0, below = 0;
    for (size_t i = 0; i < ramp.count; i++) {
        double from = (double)i - middle;
        above += from * log2(fmax(ramp.ms[i], 1));
        below += from * from;
    }
    return above / below;
}

/* Up to the first that comes near the longest: from there on they may stand still. Growth by steps
 * has as much above its middle as below; growth by a factor is late. */
static bool grows_by_chance(struct ramp ramp)
{
    double top = longest(ramp), sum = 0;
    size_t near = 0, peak = 0;
    while (ramp.ms[near] < top / 2)
        near++;
    while (ramp.ms[peak] < top)
        peak++;
    struct ramp rise = head_of(ramp, (near + 1 >= SKY_INTERVALS_JITTER_MIN ? near : peak) + 1);
    if (rise.count < SKY_INTERVALS_JITTER_MIN)
        return false;
    for (size_t i = 0; i < rise.count; i++)
        sum += rise.ms[i];
    double first = rise.ms[0], mean = sum / (double)rise.count;
    double start = rise.count > SKY_INTERVALS_JITTER_MIN ? fmin(first, rise.ms[1]) : first;
    return longest(rise) >= SKY_INTERVALS_GROWTH_MIN * start &&
           octaves(rise) >= log2(SKY_INTERVALS_FACTOR_MIN / 100.0) &&
           mean <= 0.95 * (first + longest(rise)) / 2;
}

/* ---- the class ---- */

/* All but a few are the same, or none is twice another: a restart by hand among the device's own is
 * no growth. */
static bool stays(struct ramp ramp)
{
    size_t most = 0;
    for (size_t i = 0; i < ramp.count; i++) {
        size_t same = 0;
        for (size_t j = 0; j < ramp.count; j++)
            same += is_same(ramp.ms[i], ramp.ms[j]);
        most = same > most ? same : most;
    }
    return most * 4 >= ramp.count * 3 ||
           longest(ramp) <= 2 * shortest(ramp) + SKY_INTERVALS_SLACK_MS;
}

static enum sky_interval_class classify(struct ramp ramp)
{
    enum sky_interval_class kind = strict(ramp);
    if (kind == SKY_INTERVALS_NONE) {
        struct ramp piece = repeated(ramp);
        if (piece.count >= SKY_INTERVALS_MIN)
            kind = strict(piece);
    }
    if (kind != SKY_INTERVALS_NONE)
        return kind;
    if (ramp.count >= SKY_INTERVALS_JITTER_MIN && grows_by_chance(ramp))
        return SKY_INTERVALS_EXPONENTIAL_JITTER;
    return stays(ramp) ? SKY_INTERVALS_CONSTANT : SKY_INTERVALS_NONE;
}

enum sky_interval_class sky_intervals_class(const struct sky_interval *intervals, size_t count)
{
    double ms[SKY_BEHAVIOUR_INTERVALS_MAX] = {0};
    struct ramp all = {ms, count}, best = {ms, 0};
    SKY_ASSERT(count <= SKY_BEHAVIOUR_INTERVALS_MAX);
    for (size_t i = 0, start = 0; i < count; i++) {
        if (!intervals[i].follows)
            start = i;
        ms[i] = intervals[i].ms;
        if (i + 1 - start >= best.count)
            best = (struct ramp){ms + start, i + 1 - start};
    }
    if (best.count < SKY_INTERVALS_MIN)
        best = all;
    return best.count < SKY_INTERVALS_MIN ? SKY_INTERVALS_NONE : classify(best);
}
