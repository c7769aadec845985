"""What others wrote, made safe to print and to read. Knows no other room; every room may use it."""
