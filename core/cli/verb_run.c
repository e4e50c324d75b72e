#include "cli/arguments.h"
#include "cli/verb.h"
#include "engine/signals.h"

int verb_run(int argc, char **argv)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(arguments_deinit) struct arguments arguments;
    CLEANUP(engine_freep) struct engine *engine = NULL;
    int status = arguments_parse(&arguments, argc, argv);

    if (status)
        return status;
    if (arguments.rest_count > 0) {
        return misused("run: '%s' is one too many; rules are given with -r", arguments.rest[0]);
    }
    if (arguments.engine.stats)
        return misused("run: --stats is for replay");
    signals_hold_reload();
    int r = engine_new(&arguments.engine, &diags, &engine);

    report_start(&diags, r);
    if (r < 0)
        return EXIT_FAILED;
    return engine_watch(engine) < 0 ? EXIT_FAILED : EXIT_FINE;
}
