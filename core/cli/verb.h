/* The verbs of the picket command. Each takes its own arguments, ARGV[0] being the verb, and
 * returns the exit status: */
#ifndef PICKET_CLI_VERB_H
#define PICKET_CLI_VERB_H

#define EXIT_FINE    0
#define EXIT_FAILED  1 /* what was asked for did not work out; standard error says why */
#define EXIT_MISUSED 2 /* it was not asked in a way that can be understood */

int verb_run(int argc, char **argv);
int verb_watch(int argc, char **argv);
int verb_record(int argc, char **argv);
int verb_replay(int argc, char **argv);
int verb_alerts(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_schema(int argc, char **argv);
int verb_test(int argc, char **argv);
int verb_explain(int argc, char **argv);
int verb_new(int argc, char **argv);
int verb_fields(int argc, char **argv);
int verb_plugin(int argc, char **argv);

#endif
