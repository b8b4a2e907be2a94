/* The board, as far as the example uses it: its serial line, its LED, its thermometer, and a tick of 10 ms. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>

void board_start(void);
/* The next byte of the serial line, or -1. */
int board_read(void);
/* Writes to the serial line, and waits until all is handed over. */
void board_write(const char *bytes, size_t len);
/* Whether a tick has passed since the last time this was asked. */
bool board_ticked(void);
/* Sleeps until a byte has come or a tick has passed since it slept last. */
void board_wait(void);
void board_set_led(bool on);
bool board_led(void);
/* In tenths of a degree: warmer with the LED. */
unsigned board_temperature(void);

#endif
