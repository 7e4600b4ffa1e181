-- One JSON string a line comes in: MathML. One goes out: its LaTeX; of what is no MathML, its text;
-- null when it cannot be read. A line's trouble stays its own.
for line in io.lines() do
  local ok, answer = pcall(function()
    local document = pandoc.read(pandoc.json.decode(line), "html")
    local latex
    document:walk({ Math = function(math) latex = latex or math.text end })
    return latex or pandoc.utils.stringify(document)
  end)
  io.write(ok and pandoc.json.encode(answer) or "null", "\n")
  io.flush()
end
