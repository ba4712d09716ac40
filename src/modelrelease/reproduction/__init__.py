"""What two runs of one experiment differ in, and what that explains. Pure; ``flows/reproduce.py`` joins it to files."""
