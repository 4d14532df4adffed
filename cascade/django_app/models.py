"""No models. Django sends ``pre_migrate`` and ``post_migrate`` once for each app that has this module.

So the guard and the proof run once in a run of ``migrate``, for the sender that is this app.
"""
