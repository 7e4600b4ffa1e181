"""What people who do this by hand have reported; it stands beside what is measured."""

CALL_S = 3.0  # about 30 s for ten answers, one by one
BATCHED_S = 8.0  # about 8 s for ten answers, batched: the job, and the calls around it
ANSWERS = 10
SPEED_UP = (3.0, 5.0)  # batched against one by one
FEWER_CALLS = 0.9
WHOLE_ITEMS = 275
WHOLE_S = (27 * 60.0, 28 * 60.0)  # fits neither of their rates

# What a batch job may take. Of 100 rows theirs took one to three hours; a day is what is promised.
JOBS = (
    ("100 rows, as reported at best", 3_600.0),
    ("100 rows, as reported at worst", 3 * 3_600.0),
    ("as promised at the latest", 24 * 3_600.0),
)
