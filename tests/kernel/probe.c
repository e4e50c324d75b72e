/* What the scenarios execute: tells its truth and ends. Static, so that it runs from anywhere. */
#include "truth.h"

int main(void)
{
    return truth_tell() < 0;
}
