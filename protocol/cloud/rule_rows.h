/* How the rules.def of a cloud becomes an enum and a table, so that both say the same. A row is
 *     RULE(NAME, "ID", severity, action in profile seed, action in profile current,
 *          statement, source, hint)
 * or, where the hint is another one in profile current,
 *     RULE(..., statement, source, hint, hint in profile current)
 * with severity and actions written without their SKY_ prefix. */
#ifndef SKY_CLOUD_RULE_ROWS_H
#define SKY_CLOUD_RULE_ROWS_H

#include "protocol/base/rule.h"

#define SKY_RULE_HINTS(hint_, current_, ...) .hint = hint_, .hint_current = current_
#define SKY_RULE_ROW(name_, id_, severity_, seed_, current_, statement_, source_, ...)             \
    {                                                                                              \
        .id = id_, .statement = statement_, .source = source_,                                     \
        SKY_RULE_HINTS(__VA_ARGS__, NULL, NULL), .severity = SKY_##severity_, .action = {          \
            [SKY_PROFILE_SEED] = SKY_##seed_,                                                      \
            [SKY_PROFILE_CURRENT] = SKY_##current_                                                 \
        }                                                                                          \
    }

#endif
