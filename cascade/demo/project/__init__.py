"""A small site for tournaments: players, their teams, their matches and their profiles."""
