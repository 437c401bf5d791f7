#ifndef COUNT_ALLOCATIONS_H_
#define COUNT_ALLOCATIONS_H_

/* How often this thread has asked for memory, in whatever library. */
unsigned long allocations_of_this_thread(void);

#endif
