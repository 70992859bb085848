def weight(c): return 0.0
