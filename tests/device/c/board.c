/* QEMU's mps2-an386: how it starts, and Arm's CMSDK peripherals. It has no thermometer: one is made up, so that tests know
   what it shows. */
#include "board.h"

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART_DATA REGISTER(0x40004000u)
#define UART_STATE REGISTER(0x40004004u)
#define UART_CONTROL REGISTER(0x40004008u)
#define UART_INTERRUPT REGISTER(0x4000400Cu)
#define UART_DIVIDER REGISTER(0x40004010u)
#define LEDS REGISTER(0x40028000u)
#define TICK_CONTROL REGISTER(0xE000E010u)
#define TICK_RELOAD REGISTER(0xE000E014u)
#define TICK_VALUE REGISTER(0xE000E018u)
#define INTERRUPT_ENABLE REGISTER(0xE000E100u)
#define INTERRUPT_FORGET REGISTER(0xE000E280u)
#define SYSTEM_FORGET REGISTER(0xE000ED04u)

/* What the stack is filled with, so that its deepest use can be seen. */
#define PAINT 0x5AFE5AFEu

extern uint32_t _data_start, _data_end, _data_load, _bss_start, _bss_end, _stack_top;
int main(void);

static void stop(void) {
  board_write("\nfault\n", 7);
  for (;;) {
  }
}

__attribute__((noreturn)) void reset(void) {
  volatile uint32_t *to = &_data_start;
  const uint32_t *from = &_data_load;
  while (to < &_data_end) *to++ = *from++;
  for (to = &_bss_start; to < &_bss_end; to++) *to = 0;
  volatile uint32_t *here;
  __asm volatile("mov %0, sp" : "=r"(here));
  while (to < here) *to++ = PAINT;
  main();
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  void (*handlers[15])(void);
} vectors = {&_stack_top, {reset, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop}};

/* The serial line and the tick interrupt, which is never taken: it wakes who waits. */
void board_start(void) {
  __asm volatile("cpsid i");
  UART_DIVIDER = 16;
  UART_CONTROL = 11;
  INTERRUPT_ENABLE = 1;
  TICK_RELOAD = 250000u - 1u;
  TICK_VALUE = 0;
  TICK_CONTROL = 7;
}

void board_wait(void) {
  __asm volatile("wfi");
  UART_INTERRUPT = 2;
  INTERRUPT_FORGET = 1;
  SYSTEM_FORGET = 1u << 25;
}

int board_read(void) { return (UART_STATE & 2u) ? (int)(UART_DATA & 0xFFu) : -1; }

void board_write(const char *bytes, size_t len) {
  for (size_t at = 0; at < len; at++) {
    while (UART_STATE & 1u) {
    }
    UART_DATA = (unsigned char)bytes[at];
  }
}

bool board_ticked(void) { return (TICK_CONTROL & (1u << 16)) != 0; }

void board_set_led(bool on) { LEDS = on; }

bool board_led(void) { return LEDS & 1u; }

unsigned board_temperature(void) { return board_led() ? 247 : 215; }
