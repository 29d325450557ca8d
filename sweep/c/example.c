/* Says when keywords are said: 16-bit samples on standard input, events on standard output. */
#include "detector.h"

#include <stdio.h>

int main(void)
{
    static detector_state state;
    static int16_t samples[DETECTOR_STRIDE];
    detector_start(&state);
    for (;;) {
        size_t count = fread(samples, sizeof *samples, DETECTOR_STRIDE, stdin), done = 0;
        if (count == 0)
            return ferror(stdin) || ferror(stdout) ? 1 : 0;
        while (done < count) {
            detector_event event;
            done += detector_feed(&state, samples + done, count - done, &event);
            if (event.keyword >= 0) {
                double seconds = (double)event.end / FRONTEND_RATE_HZ;
                printf("%10.2f s  %s  %.3f\n", seconds, detector_keywords[event.keyword],
                       (double)event.score);
                fflush(stdout);
            }
        }
    }
}
