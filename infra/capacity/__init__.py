"""How large an on-sale may be: the limits of AWS, what a sale of a given size needs of each, and what to do.

All of it is pure: no network, no clock, no account. It must not be imported by what ships.
"""
