/* Stays long enough for others to be looked at under its name. */
#include <unistd.h>

int main(void) { return usleep(700000); }
