#include "rule/rule_feeds.h"

#include "rule/sigma_correlation.h"

/* A rule is evaluated when it may alert, or when what counts its hits is. */
static void settle(struct compiler *compiler, struct draft *draft)
{
    struct rule *rule = &draft->rule;
    bool cut = rule->severity < compiler->options.min_level;

    draft->muted = rule->enabled && rule->silent && !cut && !draft->fed;
    rule->enabled &= draft->fed || (!rule->silent && !cut);
    rule->silent |= cut && draft->fed;
}

/* What ends a chain first. */
static void settle_correlations(struct compiler *compiler, unsigned depth)
{
    for (struct sigma_correlation *at = compiler->correlations.first; at; at = at->next) {
        if (at->depth != depth || at->draft->omitted)
            continue;
        settle(compiler, at->draft);
        for (size_t i = 0; at->draft->rule.enabled && i < at->made->member_count; i++)
            at->members[i]->fed = true;
    }
}

/* What is informational is a part of correlations to begin with. */
static void warn_muted(struct compiler *compiler, const struct draft *draft)
{
    if (draft->muted && !draft->omitted && draft->rule.severity > SEVERITY_INFORMATIONAL)
        diag_warning(compiler->diags, draft->rule.mark, "silent-rule",
                     "%s raises no alert: it is part of %s, which is not enabled", draft->scope,
                     draft->silenced_by->draft->scope);
}

void rule_feeds_settle(struct compiler *compiler)
{
    for (unsigned depth = CORRELATION_DEPTH_MAX; depth > 0; depth--)
        settle_correlations(compiler, depth);
    for (size_t i = 0; i < compiler->drafts.count; i++) {
        struct draft *draft = compiler->drafts.entries[i].value;

        if (!draft->correlation)
            settle(compiler, draft);
        warn_muted(compiler, draft);
    }
}

static bool is_live(const struct sigma_correlation *correlation)
{
    return !correlation->draft->omitted && correlation->draft->rule.enabled;
}

static bool make_feeds(struct compiler *compiler, struct draft *draft)
{
    if (draft->feed_count == 0)
        return true;
    draft->feeds =
        arena_array(&compiler->ruleset->arena, draft->feed_count, sizeof(struct rule_feed));
    compiler->failed |= !draft->feeds;
    draft->made->feeds = draft->feeds;
    return draft->feeds;
}

static void name_silencers(struct compiler *compiler)
{
    for (size_t i = 0; i < compiler->drafts.count; i++) {
        struct draft *draft = compiler->drafts.entries[i].value;

        if (draft->muted)
            draft->made->silencer = draft->silenced_by->draft->made;
    }
}

void rule_feeds_connect(struct compiler *compiler)
{
    name_silencers(compiler);
    for (struct sigma_correlation *at = compiler->correlations.first; at; at = at->next)
        for (size_t i = 0; is_live(at) && i < at->made->member_count; i++)
            at->members[i]->feed_count++;
    for (size_t i = 0; i < compiler->drafts.count; i++)
        if (!make_feeds(compiler, compiler->drafts.entries[i].value))
            return;
    for (struct sigma_correlation *at = compiler->correlations.first; at; at = at->next) {
        for (size_t i = 0; is_live(at) && i < at->made->member_count; i++) {
            struct draft *member = at->members[i];

            member->feeds[member->made->feed_count++] =
                (struct rule_feed){.rule = at->draft->made, .member = i};
        }
    }
}
