static float bounded(float x, float least, float most)
{
    return x < least ? least : x > most ? most : x;
}
