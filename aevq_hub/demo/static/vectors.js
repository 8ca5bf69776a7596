element.addEventListener('click', event => {
    const {vector, start} = (event.target.closest('.vector, .sample') || {dataset: {}}).dataset;
    if (vector) trigger('select', {vector});
    const sample = start && document.querySelector(`#bar button[data-start="${start}"]`);
    if (sample) sample.click();
});
const moved = () => {};
