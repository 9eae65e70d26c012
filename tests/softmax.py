"""python tests/softmax.py ...: `python -m svhn_tune ...` whose workers train by softmax_engine."""

if __name__ == "__main__":
    from svhn_tune.cli import main
    from svhn_tune.training import engine

    engine.DEFAULT = "softmax_engine"
    main()
