// Prints the keywords that are said; 16-bit samples come from the serial port, or from where you
// read a microphone.
#include <detector.h>

static detector_state state;
static int16_t samples[64];

void setup()
{
    Serial.begin(921600);
    detector_start(&state);
}

void loop()
{
    size_t count = Serial.readBytes((char *)samples, sizeof samples) / sizeof *samples;
    for (size_t done = 0; done < count;) {
        detector_event event;
        done += detector_feed(&state, samples + done, count - done, &event);
        if (event.keyword >= 0)
            Serial.println(detector_keywords[event.keyword]);
    }
}
