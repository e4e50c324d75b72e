/* `picket alerts show`. */
#ifndef PICKET_CLI_ALERT_SHOW_H
#define PICKET_CLI_ALERT_SHOW_H

/* The exit status. ARGV[0] is "show". */
int alert_show(int argc, char **argv);

#endif
