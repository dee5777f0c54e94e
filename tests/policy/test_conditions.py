"""Every operand of a condition is understood, and what isn't one is refused with a position."""

import pytest

from sekisho.policy.conditions import MODE_BITS, OPERANDS, TYPES, condition_at
from sekisho.policy.lines import Fault
from sekisho.policy.model import Condition


def test_there_are_as_many_operands_as_the_kernel_has():
    assert len(OPERANDS) == 10 + 2 + 7 + 12 + 2 * 9 + 2 * 4
    assert len(TYPES) == 7
    assert len(MODE_BITS) == 12


@pytest.mark.parametrize("operand", sorted(OPERANDS))
def test_every_operand_stands_on_either_side(operand):
    assert condition_at([f"{operand}=1"], 0) == Condition(operand, "1", True)
    assert condition_at([f"0x1-0xa!={operand}"], 0) == Condition("0x1-0xA", operand, False)
    assert condition_at([f"{operand}=@G"], 0) == Condition(operand, "@G", True)


@pytest.mark.parametrize(
    ("word", "condition"),
    [
        ("task.uid=path1.uid", Condition("task.uid", "path1.uid", True)),
        ("0-00x!=0", None),
        ("path1.parent.perm!=sticky", Condition("path1.parent.perm", "sticky", False)),
        ('exec.realpath="/bin/\\*"', Condition("exec.realpath", '"/bin/\\*"', True)),
        ("exec.realpath!=@SHELLS", Condition("exec.realpath", "@SHELLS", False)),
        ('symlink.target="@x=y"', Condition("symlink.target", '"@x=y"', True)),
        ("symlink.target=@G", Condition("symlink.target", "@G", True)),
        ('exec.argv[0]=""', Condition("exec.argv[0]", '""', True)),
        ('exec.argv[12]!="-\\040"', Condition("exec.argv[12]", '"-\\040"', False)),
        ('exec.envp["PATH"]="/bin:/sbin"', Condition('exec.envp["PATH"]', '"/bin:/sbin"', True)),
        ('exec.envp["A"]=NULL', Condition('exec.envp["A"]', "NULL", True)),
        ('exec.envp["A"]!=NULL', Condition('exec.envp["A"]', "NULL", False)),
        ('exec.envp["A"]="NULL"', Condition('exec.envp["A"]', '"NULL"', True)),
        ("task.type=execute_handler", Condition("task.type", "execute_handler", True)),
        ("task.type!=execute_handler", Condition("task.type", "execute_handler", False)),
        ('exec.envp["A"]="a"b"', Condition('exec.envp["A"]', '"a"b"', True)),
    ],
)
def test_clauses(word, condition):
    if condition is None:
        with pytest.raises(Fault):
            condition_at([word], 0)
        return
    assert condition_at([word], 0) == condition
    assert condition_at([condition.text], 0) == condition


def test_an_index_is_decimal_even_where_it_begins_with_0():
    assert condition_at(['exec.argv[08]="x"'], 0) == Condition("exec.argv[8]", '"x"', True)


@pytest.mark.parametrize(
    ("word", "offset", "message"),
    [
        ("x", 0, "expected a condition"),
        ("/path", 0, "expected a condition"),
        ("=1", 0, "expected an operand"),
        ("!=1", 0, "expected an operand"),
        ("task.uid=", 9, "expected an operand"),
        ("task.uid==1", 8, "== is no operator"),
        ("task.uid=1=2", 9, "expected a number"),
        ("task.uid=7-3", 9, "from the smaller"),
        ("task.uid!=0x", 10, "expected a number"),
        ("task.id=0", 0, "unknown condition operand 'task.id'"),
        ("task.uid=root", 9, "unknown condition operand 'root'"),
        ('task.uid="0"', 9, "unknown condition operand"),
        ("@G=task.uid", 0, "unknown condition operand"),
        ("task.uid=@", 9, "unknown condition operand"),
        ("task.uid=exec.realpath", 9, "unknown condition operand"),
        ("task.type=handler", 10, "expected execute_handler"),
        ("task.type!=", 11, "expected execute_handler"),
        ("execute_handler=task.type", 0, "unknown condition operand"),
        ("path1.parent.type=file", 0, "unknown condition operand"),
        ("exec.realpath=/bin/sh", 14, "expected a string in double quotes"),
        ('exec.realpath="/bin/sh', 14, "expected a string in double quotes"),
        ('exec.realpath="', 14, "expected a string in double quotes"),
        ("exec.realpath=@", 14, "expected a string in double quotes"),
        ('exec.realpath="/\\b"', 15, "no correct name"),
        ("symlink.target=NULL", 15, "expected a string in double quotes"),
        ('exec.argv[x]="a"', 0, "expected exec.argv"),
        ('exec.argv[01]="a"', 0, "expected exec.argv"),
        ('exec.argv[1="a"', 0, "expected exec.argv"),
        ("exec.argv[1]=NULL", 13, "expected a string in double quotes"),
        ("exec.argv[1]=@G", 13, "expected a string in double quotes"),
        ('exec.envp[A]="a"', 0, "expected exec.envp"),
        ('exec.envp["]="a"', 0, "expected exec.envp"),
        ('exec.envp["A]="a"', 0, "expected exec.envp"),
        ('exec.envp[""]="a"', 11, "no correct name"),
        ('exec.envp["A"]=null', 15, "expected a string in double quotes"),
    ],
)
def test_refused(word, offset, message):
    with pytest.raises(Fault, match=message) as caught:
        condition_at(["file", word], 1)

    assert (caught.value.word, caught.value.offset) == (1, offset)
