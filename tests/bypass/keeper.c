/* Keeps a secret in its memory, at an address that everybody knows, for a moment: a longer one if STAY says so. */
#include <unistd.h>

__attribute__((section(".secret"))) volatile char secret[16] = "secret";

int main(void) {
#ifdef STAY
    usleep(STAY);
#endif
    for (volatile int i = 0; i < 200000; i++)
        secret[15] = 0;
    return 0;
}
