"""From the checkout to an account: a plan first, which can be printed, and its execution second.

Everything that decides is pure; `account.py` alone makes clients. It must not be imported by what ships.
"""
