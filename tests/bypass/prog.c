/* A program whose exit status says that it ran. */
#ifndef STATUS
#define STATUS 42
#endif
int main(void) { return STATUS; }
