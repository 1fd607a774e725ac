from importlib.metadata import entry_points

for each in entry_points(group='x'):
    each.load()
