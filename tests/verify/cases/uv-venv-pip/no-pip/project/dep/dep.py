def main() -> None:
    print("dep")
