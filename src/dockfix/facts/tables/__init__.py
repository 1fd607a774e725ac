"""Knowledge about tools and images as data; every table names its source."""
