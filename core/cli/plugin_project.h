/* A plugin to begin with: a project of its own that builds with what picket installs. */
#ifndef PICKET_CLI_PLUGIN_PROJECT_H
#define PICKET_CLI_PLUGIN_PROJECT_H

#include "base/text.h"

/* A file of core/cli/template, as it was when this was built. */
struct project_file {
    const char *language; /* "c", "cxx"; NULL ends the list */
    const char *name;
    const char *content; /* @NAME@ stands for the plugin's name */
};

extern const struct project_file project_files[];

/* NULL, or why NAME cannot be that of a plugin. Static. */
const char *plugin_project_refuse(const char *name);

/* Makes the folder NAME with the project in it. -EEXIST: there is one already; -errno. */
int plugin_project_write(const char *name, const char *language);

#endif
