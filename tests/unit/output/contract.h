/* Has a plugin tried by the conformance kit, with a real receiver at its other end. */
#ifndef PICKET_TESTS_CONTRACT_H
#define PICKET_TESTS_CONTRACT_H

/* The plugin of ARGUMENT, as of `picket plugin test`, passes every check, and LEAST of them at
 * least. Asserts. */
void contract_expect(const char *argument, unsigned least);

#endif
