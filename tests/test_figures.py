"""The figures of hand-made projects: what each shows, and None where there is nothing."""

import base64
import io
import json
import subprocess
import sys

import matplotlib
import numpy as np
import pytest

from svhn_tune.figures import FIGURES, Figures
from svhn_tune.figures.importance import measure_importance
from svhn_tune.figures.parallel import draw_still
from svhn_tune.figures.style import INK, Chart
from svhn_tune.journal.record_types import ChoiceRecord, RunRecord
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.project.results import create_project
from svhn_tune.stages.pictures import find_hardest
from svhn_tune.summary.curves import stitch_curves

NAMES = [entry.name for entry in FIGURES]
CURVES = {"learning_curves", "loss_curves"}
CONFIRMED = CURVES | {"confirmed", "confusion"}
PICTURES = {
    "times",
    "worst_clocks",
    "hardest_digits",
    "first_layer_weights",
    "filters",
    "filters_by_channel",
    "feature_maps",
    "filter_through_layers",
}
SEARCHED = set(NAMES) - CONFIRMED - PICTURES
# Beside those of the page's list.
OTHERS = {"score_against_epochs", "explore_score", "explore_curves", "explore_losses"}


def name_metrics(curve):
    """Metrics of an accuracy of this curve, in training and validation alike, and of a loss."""
    loss = [1 - each for each in curve]
    accuracy = {"categorical_accuracy": curve, "val_categorical_accuracy": curve}
    return accuracy | {"loss": loss, "val_loss": loss}


def make_trials(count=16):
    """Trials of differing values whose dropout alone decides the score."""
    space = load_space("cnn")
    random = np.random.default_rng(0)
    trials = []
    for trial in range(count):
        chosen = {
            "blocks": int(random.integers(1, 4)),
            "units": int(2 ** random.integers(5, 9)),
            "dropout": float(random.choice([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])),
            "padding": str(random.choice(["same", "valid"])),
        }
        score = 0.9 - chosen["dropout"]
        curve = np.linspace(0.1, score, 4).tolist()
        metrics = name_metrics(curve)
        given = {"values": space.complete(chosen), "score": score, "metrics": metrics}
        trials.append(given | {"collapsed": trial == 3, "bracket": 1, "round": 0})
    return trials


def promote(trials, parent, score):
    """A trial that goes on from `parent` for 8 epochs more."""
    curve = np.linspace(trials[parent]["score"], score, 8).tolist()
    metrics = name_metrics(curve)
    went_on = {"initial_epoch": 4, "epochs": 12, "parent": parent, "round": 1}
    return trials[parent] | went_on | {"score": score, "metrics": metrics}


@pytest.fixture
def hyperband(tmp_path, make_project):
    """Sixteen configurations of 4 epochs, of which two were promoted to 12."""
    trials = make_trials()
    trials += [promote(trials, 5, 0.95), promote(trials, 6, 0.93)]
    return make_project(tmp_path / "cnn", trials, tuner="hyperband")


def add_confirm_runs(project, trial, scores, **changes):
    """Confirm runs of a trial with ten classes and thirty test images."""
    search = next(record for record in project.ended("search") if record.trial == trial)
    random = np.random.default_rng(trial)
    for number, score in enumerate(scores):
        predicted = random.integers(0, 10, 30).astype(np.uint8)
        run = {
            "stage": "confirm",
            "run": number,
            "score": score,
            "epochs": 20,
            "planned_epochs": 20,
            "collapsed": number == 1,
            "metrics": name_metrics(np.linspace(0.1, score or 0.1, 20).tolist()),
            "test": {"categorical_accuracy": score, "loss": 1 - (score or 0.1)},
            "confusion": random.integers(0, 50, (10, 10)).tolist(),
            "predicted": base64.b64encode(predicted.tobytes()).decode(),
        }
        project.record(search.model_copy(update=run | changes))


@pytest.fixture
def confirmed(hyperband):
    for trial, scores in {16: [0.90, 0.20, 0.92], 0: [0.80, 0.82], 17: [0.85]}.items():
        add_confirm_runs(hyperband, trial, scores)
    return hyperband


def draw(figure):
    """The figure as SVG, by whatever draws it."""
    if not isinstance(figure, Chart):
        return json.dumps(figure.to_plotly_json(), default=str)
    out = io.StringIO()
    figure.savefig(out, format="svg")
    return out.getvalue()


def texts(figure):
    """All words in a chart, titles of parts included."""
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_every_figure_of_the_list_is_a_method_that_says_what_it_draws():
    named = [name for e in FIGURES for name in (e.name, e.explored, e.folded) if name]
    last = ["filters", "filters_by_channel", "feature_maps", "filter_through_layers"]
    assert named[-4:] == last
    for name in {*named, *OTHERS}:
        assert getattr(Figures, name).__doc__.strip().endswith(".")


@pytest.mark.parametrize("name", [*NAMES, *sorted(OTHERS), "other_effects"])
def test_a_project_without_trials_has_nothing_to_show(name, tmp_path, make_project):
    project = make_project(tmp_path / "cnn")
    assert getattr(Figures(project), name)() is None
    project = make_project(tmp_path / "cnn2", [{"status": "running"}])
    assert getattr(Figures(project), name)() is None


@pytest.mark.parametrize("name", [*NAMES, *sorted(OTHERS)])
def test_a_figure_is_there_where_there_is_something_to_show(name, hyperband):
    figure = getattr(Figures(hyperband), name)()
    if name in SEARCHED | CURVES | OTHERS:
        assert draw(figure)
    else:
        assert figure is None


@pytest.mark.parametrize("name", sorted(CONFIRMED))
def test_a_figure_of_confirm_runs(name, confirmed):
    assert "<svg" in draw(getattr(Figures(confirmed), name)())


@pytest.mark.parametrize("name", sorted((SEARCHED | CONFIRMED | OTHERS) - {"rounds", "importance"}))
@pytest.mark.parametrize(
    "trials",
    [
        [{"score": 0.5}, {"score": 0.5}],
        [{"score": None, "collapsed": True, "epochs": 1}, {"status": "failed", "score": None}],
    ],
    ids=["equal", "collapsed"],
)
def test_poor_projects_are_drawn_as_they_are(name, trials, tmp_path, make_project):
    project = make_project(tmp_path / "cnn", trials)
    add_confirm_runs(project, 0, [0.5], confusion=np.zeros((10, 10), int).tolist())
    figure = getattr(Figures(project), name)()
    assert figure is None or draw(figure)


@pytest.mark.parametrize(
    "name", sorted((SEARCHED | CONFIRMED | OTHERS) - {"loss_curves", "explore_losses"})
)
def test_losses_are_drawn_and_diverged_runs_left_out(name, tmp_path, make_project):
    trials = make_trials()
    for trial, given in enumerate(trials):
        given["score"] = 10.0 ** (trial % 5 - 2)
        given["metrics"] = {"loss": [80.0, None, 2.0, 1.0], "val_loss": [90.0, 3.0, 2.0, 1.0]}
    trials[3] |= {"score": None, "collapsed": True}
    project = make_project(tmp_path / "cnn", trials, tuner="hyperband")
    text = project.space.text.replace("val_categorical_accuracy", "val_loss")
    project.space = parse_space(text, "cnn", "cnn.toml")
    add_confirm_runs(project, 0, [0.5, None, 0.6], metrics={"loss": [4.0, 2.0]})
    figure = getattr(Figures(project), name)()
    words = draw(figure)
    assert "1e+09" not in words
    assert "1000000000" not in words


def test_figures_are_readable_on_light_and_dark(confirmed):
    for name in NAMES:
        figure = getattr(Figures(confirmed), name)()
        if isinstance(figure, Chart):
            drawing = draw(figure)
            assert INK in drawing
            assert "fill: #ffffff" not in drawing
            assert "fill: #000000" not in drawing


@pytest.mark.parametrize("name", sorted(SEARCHED | CONFIRMED | OTHERS))
def test_built_in_digits_are_called_so(name, confirmed):
    assert "not SVHN" not in draw(getattr(Figures(confirmed), name)())
    data = confirmed.settings.data.model_dump()
    data |= {"synthetic": True, "name": "built-in digits, not SVHN"}
    confirmed.update_settings(data=data)
    assert "built-in digits, not SVHN" in draw(getattr(Figures(confirmed), name)())


def test_scores_on_the_test_set_are_called_so(hyperband):
    assert "validation accuracy" in texts(Figures(hyperband).effects())
    hyperband.update_settings(validate_on="test")
    for name in ("score_against_hours", "effects", "rounds"):
        words = texts(getattr(Figures(hyperband), name)())
        assert "test accuracy" in words
        assert "the search validated on the test set" in words


def test_the_best_is_that_of_the_longest_trained(hyperband):
    chart = Figures(hyperband).score_against_epochs()
    assert "0.9500 after 12 epochs (trial 005)" in texts(chart)
    (axes,) = chart.axes
    lines = [line.get_ydata() for line in axes.get_lines()]
    assert len(lines) == 2  # of 4 epochs, then of 12
    assert lines[1].tolist() == [0.95, 0.95, 0.95]
    assert max(line.get_xdata().max() for line in axes.get_lines()) == 16 * 4 + 2 * 8


def test_curves_of_the_loss_end_in_the_losses_on_the_test_set(confirmed):
    *_, confirm = Figures(confirmed).loss_curves().axes
    assert confirm.get_ylabel() == "loss"
    dots = [line.get_ydata() for line in confirm.lines if line.get_marker() == "o"]
    expected = [run.test["loss"] for run in confirmed.ended("confirm")]
    assert sorted(np.concatenate(dots)) == pytest.approx(sorted(expected))


def test_where_runs_are_scored_by_the_loss_one_figure_shows_it(hyperband):
    text = hyperband.space.text.replace("val_categorical_accuracy", "val_loss")
    hyperband.space = parse_space(text, "cnn", "cnn.toml")
    assert Figures(hyperband).loss_curves() is None


def test_rounds_name_who_was_promoted(hyperband):
    words = texts(Figures(hyperband).rounds())
    said = "16 configurations began in 1 bracket; 2 times one was promoted"
    assert said in " ".join(words.split())
    assert "005" in words
    assert "4\n16" in words


def test_halving_has_rounds_without_brackets(tmp_path, make_project):
    trials = make_trials()
    trials += [promote(trials, 5, 0.95), promote(trials, 6, 0.93)]
    trials = [trial | {"bracket": None} for trial in trials]
    project = make_project(tmp_path / "cnn", trials, tuner="halving")
    words = texts(Figures(project).rounds())
    assert "16 configurations began; 2 times one was promoted" in words
    assert not any(word.startswith("bracket") for word in words)


def test_tuners_that_promote_nobody_have_no_rounds(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{"score": 0.5}, {"score": 0.6}])
    assert Figures(project).rounds() is None


def test_effects_show_what_varied_and_only_where_it_is_active(hyperband):
    chart = Figures(hyperband).effects()
    shown = {axes.get_title(loc="left"): axes for axes in chart.axes}
    assert set(shown) == {"blocks", "units", "dropout", "padding"}
    dots = sum(len(each.get_offsets()) for each in shown["units"].collections)
    # The promoted ones once, at their longest; two have the same values.
    assert dots == 15


def test_a_hyperparameter_of_a_missing_block_has_no_dot(tmp_path, make_project):
    space = load_space("cnn")
    values = [space.complete({"blocks": 2, "kernel_size_2": size}) for size in (3, 5, 7)]
    values.append(space.complete({"blocks": 1}))
    project = make_project(tmp_path / "cnn", [{"values": each} for each in values])
    shown = {axes.get_title(loc="left"): axes for axes in Figures(project).effects().axes}
    dots = {name: sum(len(c.get_offsets()) for c in a.collections) for name, a in shown.items()}
    assert dots == {"blocks": 4, "kernel_size_2": 3}


def test_importance_finds_what_decides_and_says_how_far_to_believe_it(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", make_trials(60))
    found = measure_importance(project)
    assert found.names[int(np.argmax(found.shares.mean(axis=1)))] == "dropout"
    assert found.explained > 0.5
    assert (found.epochs, found.configurations) == (4, 60)
    assert "explains" in texts(Figures(project).importance())


def test_importance_of_noise_is_not_believed(tmp_path, make_project):
    random = np.random.default_rng(1)
    trials = [trial | {"score": float(random.random())} for trial in make_trials(30)]
    project = make_project(tmp_path / "cnn", trials)
    assert "believe none of this" in texts(Figures(project).importance())


def test_importance_needs_ten_configurations_that_differ(tmp_path, make_project):
    assert Figures(make_project(tmp_path / "few", make_trials(9))).importance() is None
    equal = [trial | {"score": 0.5} for trial in make_trials(20)]
    assert Figures(make_project(tmp_path / "equal", equal)).importance() is None


def test_importance_compares_scores_after_as_many_epochs(hyperband):
    found = measure_importance(hyperband)
    assert (found.epochs, found.configurations) == (4, 16)


def test_a_promoted_trials_curve_is_whole(hyperband):
    curve = stitch_curves(hyperband, 5)["val_categorical_accuracy"]
    assert len(curve) == 12
    assert curve[3] == hyperband.ended("search")[5].score
    assert curve[-1] == 0.95


def test_parallel_coordinates_begin_with_the_score_and_what_decides_it(hyperband):
    (lines,) = Figures(hyperband).parallel_coordinates().data
    labels = [dimension.label for dimension in lines.dimensions]
    assert labels[:3] == ["validation accuracy", "epochs", "dropout"]
    assert set(labels[3:]) == {"blocks", "padding", "units"}
    assert {len(dimension.values) for dimension in lines.dimensions} == {15}
    padding = lines.dimensions[labels.index("padding")]
    assert list(padding.ticktext) == ["same", "valid"]


def test_many_hyperparameters_are_shown_in_part_and_it_is_said(tmp_path, make_project):
    space = load_space("cnn")
    chosen = [{f"kernel_size_{n}": 5, f"pool_size_{n}": 1, f"l2_{n}": 0.01} for n in (1, 2, 3)]
    trials = [{"values": space.complete(each)} for each in chosen]
    figures = Figures(make_project(tmp_path / "cnn", trials))
    parallel = figures.parallel_coordinates()
    assert len(parallel.data[0].dimensions) == 2 + 8
    assert "the 8 of 9 hyperparameters that matter most" in parallel.layout.title.text
    first, folded = figures.effects(), figures.other_effects()
    assert (len(first.axes), len(folded.axes)) == (6, 3)
    still = texts(draw_still(parallel))
    assert "kernel_\nsize_1" in still
    assert "the 8 of 9 hyperparameters" in " ".join(still.split())


def test_the_score_can_be_explored_against_hours_and_epochs(hyperband):
    figure = Figures(hyperband).explore_score()
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.name for trace in dots] == ["4 epochs", "12 epochs", "collapsed"]
    assert sum(len(trace.y) for trace in dots) == 18
    assert dots[1].text[0].startswith("trial 005: 0.9500 after 12 epochs<br>")
    assert "dropout=" in "".join(dots[0].text)
    hours, epochs = figure.layout.meta["switch"]
    assert [trace.x for trace in figure.data] == [tuple(each) for each in hours["x"]]
    assert max(max(each) for each in epochs["x"]) == 16 * 4 + 2 * 8
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert lines[1].y == (0.95, 0.95, 0.95)
    assert {line.legendgroup for line in lines} == {dot.legendgroup for dot in dots[:2]}


def test_more_curves_than_the_first_can_be_explored(confirmed):
    figure = Figures(confirmed).explore_curves()
    named = {trace.name: trace.visible for trace in figure.data if trace.showlegend}
    assert list(named)[:2] == ["trial 005", "trial 006"]
    assert named["trial 000, baseline"] is None
    assert list(named.values()).count("legendonly") == 10 - 1
    assert {trace.xaxis for trace in figure.data if trace.name == "trial 005"} == {None, "x2"}
    curve = next(trace for trace in figure.data if trace.name == "trial 005")
    assert (len(curve.y), curve.y[-1]) == (12, 0.95)


def test_text_of_a_space_file_is_no_html(tmp_path, make_project):
    source = make_project(tmp_path / "source", make_trials(4))
    evil = 'values = ["<a href=x>&$_{2}$", "valid"]'
    text = source.space.text.replace('values = ["same", "valid"]', evil)
    text = text.replace('default = "same"', 'default = "<a href=x>&$_{2}$"')
    project = create_project(tmp_path / "evil", source.space, source.settings)
    for record in source.records:
        padding = {"padding": "<a href=x>&$_{2}$"} if record.trial % 2 else {}
        project.record(record.model_copy(update={"values": record.values | padding}))
    given = project.space.hyperparameters["padding"].model_copy(
        update={"values": ["<a href=x>&$_{2}$", "valid", "same"]}
    )
    known = project.space.hyperparameters | {"padding": given}
    project.space = project.space.model_copy(update={"hyperparameters": known, "text": text})
    project.space.__dict__.pop("declarations", None)
    (lines,) = Figures(project).parallel_coordinates().data
    padding = next(d for d in lines.dimensions if d.label == "padding")
    assert padding.ticktext[0] == "&lt;a href=x&gt;&amp;$_{2}$"
    (dots, *_) = Figures(project).explore_score().data
    assert any("padding=&lt;a href=x&gt;" in text for text in dots.text)
    assert not any("<a" in text for text in dots.text)
    drawing = draw(Figures(project).effects())
    assert "<a href" not in drawing
    assert "&lt;a href" in drawing  # and its dollars are no formula


def test_confirm_runs_are_all_there_collapsed_and_used_ones_marked(confirmed):
    confirmed.record(ChoiceRecord(epochs=20, chosen=[5], used=[[5, 0], [6, 0]]))
    words = texts(Figures(confirmed).confirmed())
    for said in ("trial 005\n3 runs of 20 epochs", "trial 000, baseline", "not chosen"):
        assert said in words
    for said in ("collapsed", "used to choose", "search: 0.9500, 12 epochs", "95 % interval"):
        assert said in words


def test_a_score_of_other_epochs_is_not_on_the_axis_of_confirms(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{"score": 0.2, "epochs": 4}])
    add_confirm_runs(project, 0, [0.9, 0.91, 0.92], collapsed=False)
    (axes,) = Figures(project).confirmed().axes
    assert axes.get_xlim()[0] > 0.8
    alike = make_project(tmp_path / "alike", [{"score": 0.2, "epochs": 20}])
    add_confirm_runs(alike, 0, [0.9, 0.91, 0.92], collapsed=False)
    chart = Figures(alike).confirmed()
    assert chart.axes[0].get_xlim()[0] < 0.2
    assert "the search's score" in texts(chart)


def test_no_dot_of_a_run_lies_on_the_interval(confirmed):
    (axes,) = Figures(confirmed).confirmed().axes
    dots = [line.get_ydata()[0] for line in axes.get_lines() if line.get_marker() in "oX"]
    bars = [line.get_ydata()[0] for line in axes.get_lines() if line.get_linewidth() == 8]
    assert bars
    assert min(abs(dot - bar) for dot in dots for bar in bars) > 0.2


def test_nothing_of_two_confusion_matrices_is_cut_or_overlaps(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{"score": 0.5}, {"score": 0.6}])
    for trial in (0, 1):
        add_confirm_runs(project, trial, [0.5, 0.6], collapsed=False)
    project.update_settings(validate_on="test")
    chart = Figures(project).confusion()
    draw(chart)
    room = chart.bbox
    boxes = [text.get_window_extent() for text in chart.findobj(matplotlib.text.Text)]
    for box in boxes:
        if box.width:
            assert room.x0 <= box.x0 < box.x1 <= room.x1
            assert room.y0 <= box.y0 < box.y1 <= room.y1
    said = chart._suptitle.get_window_extent()
    assert len(chart.axes) == 2
    for axes in chart.axes:
        titles = [axes.title, axes._left_title]
        assert all(said.y0 > title.get_window_extent().y1 for title in titles if title.get_text())


def test_confusion_is_in_percent_of_the_true_class(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{"score": 0.5}])
    add_confirm_runs(project, 0, [0.5, 0.6], confusion=[[3, 1], [0, 2]])
    words = texts(Figures(project).confusion()).split()
    assert {"75", "25", "100"} <= set(words)


def test_class_weights_are_shown_beside_none(tmp_path, make_project):
    space = load_space("cnn")
    weighted = space.complete({"class_weight": 0.5})
    plain = space.complete({"units": 128})
    trials = [{"score": 0.5}, {"score": 0.6, "values": weighted}, {"score": 0.4, "values": plain}]
    project = make_project(tmp_path / "cnn", trials)
    for trial, scores in enumerate(([0.5, 0.52], [0.9, 0.91], [0.7, 0.71])):
        add_confirm_runs(project, trial, scores, collapsed=False)
    words = texts(Figures(project).confusion())
    assert "baseline" in words
    assert "best with no class weights" in words


def test_the_hardest_are_wrong_in_most_runs_and_agreed_upon_first():
    class Test:
        images = np.arange(4 * 3).reshape(4, 1, 1, 3).astype(np.uint8)
        labels = np.array([0, 1, 2, 3])

    answers = [[0, 2, 0, 3], [0, 2, 1, 3], [0, 2, 3, 0]]
    encoded = [base64.b64encode(bytes(each)).decode() for each in answers]
    runs = [RunRecord.model_construct(predicted=each) for each in encoded]
    found = find_hardest(runs, Test)
    assert found["hard_labels"].tolist() == [1, 2, 3]
    assert found["hard_answers"].tolist()[0] == 2
    assert found["hard_shares"].tolist() == pytest.approx([1, 1, 1 / 3])
    assert found["hard_runs"] == 3
    assert find_hardest([], Test) == {}


def test_a_notebook_shows_a_chart_by_itself(hyperband):
    data, size = Figures(hyperband).rounds()._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert size["width"] == pytest.approx(518, abs=1)


def test_a_users_own_style_changes_nothing(hyperband):
    # Drawings name their parts by a salt that is drawn anew for each, unless it is set.
    with matplotlib.rc_context({"svg.hashsalt": "same"}):
        plain = draw(Figures(hyperband).effects())
    own = {"svg.hashsalt": "same", "text.color": "red", "font.size": 20, "axes.grid": False}
    with matplotlib.rc_context(own):
        assert strip_date(draw(Figures(hyperband).effects())) == strip_date(plain)


def strip_date(drawing):
    return [line for line in drawing.splitlines() if "<dc:date>" not in line]


def test_figures_import_neither_keras_nor_tensorflow_nor_pyplot(tmp_path, make_project):
    trials = make_trials()
    make_project(tmp_path / "results" / "cnn", trials)
    program = (
        "import sys, svhn_tune\n"
        f"for name in {NAMES}: getattr(svhn_tune.Figures(svhn_tune.open_project()), name)()\n"
        "print({'keras', 'keras_tuner', 'tensorflow', 'matplotlib.pyplot'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
