/* The sizes of a convolution's input, output and kernel, and how the kernel moves. */
typedef struct {
    int rows, columns, channels;
    int output_rows, output_columns, output_channels;
    int kernel_rows, kernel_columns;
    int row_stride, column_stride, row_dilation, column_dilation;
    int top, left;
} window;

/* The taps of a kernel that lie on the input, along one axis. */
typedef struct {
    int first, end;
} taps;

/* Taps 0 to count - 1 lie at start, start + dilation, ...; those on 0 to size - 1 are returned. */
static taps taps_inside(int start, int dilation, int count, int size)
{
    taps inside = {0, count};
    while (inside.first < count && start + inside.first * dilation < 0)
        inside.first++;
    while (inside.end > inside.first && start + (inside.end - 1) * dilation >= size)
        inside.end--;
    return inside;
}
