static int8_t clamped(int32_t x, int32_t least, int32_t most)
{
    return (int8_t)(x < least ? least : x > most ? most : x);
}
