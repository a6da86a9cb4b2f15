"""A sale, afterwards: what is known of it, gathered over HTTP, worked out, and written as one page."""
