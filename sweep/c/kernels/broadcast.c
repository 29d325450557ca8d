/* Two arrays of up to three axes; along an axis of step 0 the one value is used again. */
typedef struct {
    int size[3], first_step[3], second_step[3];
} broadcast;
